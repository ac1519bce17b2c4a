"""Spandrel's architectures without torchvision: the import that lies to nobody, loading, tiles' sizes, and what is refused."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.settings import PROJECT
from inference.engine.architectures import find_architecture, load_architecture
from inference.engine.bad_file import BadFile
from inference.engine.upscale import enlarge
from inference.engine.upscalers.loading import kind_of
from inference.engine.upscalers.network import Upscaler
from tests.unit.inference.upscalers.files import architecture, loaded, noise, randomised, run, saved


def program(*lines: str) -> str:
    """What lines of Python say in a process of their own."""
    command = [sys.executable, "-c", "\n".join(lines)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


def test_importing_spandrel_leaves_no_torchvision_behind() -> None:
    """All of spandrel's architectures are there; who looks for torchvision afterwards finds what is really installed."""
    said = program(
        "import sys, importlib.util, torch",
        "before = importlib.util.find_spec('torchvision')",
        "from inference.engine.architectures import _registry",
        "print(len(_registry()) >= 42, [name for name in sys.modules if name.startswith('torchvision')],",
        "      importlib.util.find_spec('torchvision') == before)",
    )
    assert said == "True [] True\n"


def test_a_real_torchvision_is_not_hidden(tmp_path: Path) -> None:
    """Where torchvision is installed, spandrel gets that one."""
    package = tmp_path / "torchvision" / "transforms"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    (package / "functional.py").write_text(
        "class InterpolationMode:\n    NEAREST = 0\ndef rotate(): ...\ndef normalize(): ...\n"
    )
    said = program(
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})",
        "from inference.engine.architectures import _registry",
        "_registry()",
        "print(sys.modules['torchvision'].__file__)",
    )
    assert said.strip() == str(tmp_path / "torchvision" / "__init__.py")


def test_without_spandrel_our_own_kinds_still_load(tmp_path: Path) -> None:
    """RRDB needs torch alone; another architecture is refused by a sentence that says what is missing."""
    said = program(
        "import importlib.util, sys, torch",
        "from pathlib import Path",
        "find = importlib.util.find_spec",
        "importlib.util.find_spec = lambda name, *a: None if name.startswith('spandrel') else find(name, *a)",
        "sys.modules['spandrel'] = None",
        "from inference.engine.upscalers.loading import load_upscaler",
        "from inference.engine.bad_file import BadFile",
        f"folder = Path({str(tmp_path)!r})",
        "net = load_upscaler(Path('models/RealESRGAN/realesr-animevideov3-x4.fp16.safetensors'), device=torch.device('cpu'), "
        "dtype=torch.float32)",
        "print(net.traits.architecture)",
        "torch.save({'m_head.0.weight': torch.ones(1), 'm_tail.0.weight': torch.ones(1)}, folder / 'scunet.pth')",
        "try:",
        "    load_upscaler(folder / 'scunet.pth', device=torch.device('cpu'), dtype=torch.float32)",
        "except BadFile as error:",
        "    print(error)",
    )
    assert said.startswith("compact\nis of a kind that only the package spandrel reads")


def swinir() -> torch.nn.Module:
    """A small one that doubles."""
    module: Any = importlib.import_module("spandrel.architectures.SwinIR")
    return module.SwinIR(
        embed_dim=12,
        depths=[2, 2],
        num_heads=[2, 2],
        window_size=8,
        mlp_ratio=2,
        upscale=2,
        upsampler="pixelshuffle",
        img_size=64,
    )


def scunet() -> torch.nn.Module:
    """A small one, which keeps the size."""
    module: Any = importlib.import_module("spandrel.architectures.SCUNet")
    return module.SCUNet(config=[1] * 7, dim=64)


def dat() -> torch.nn.Module:
    """A small one that doubles."""
    module: Any = importlib.import_module("spandrel.architectures.DAT")
    return module.DAT(
        embed_dim=64, depth=[2], num_heads=[2], split_size=[8, 8], expansion_factor=2, upscale=2, img_size=64
    )


def span() -> torch.nn.Module:
    """A small one that quadruples."""
    module: Any = importlib.import_module("spandrel.architectures.SPAN")
    return module.SPAN(num_in_ch=3, num_out_ch=3, feature_channels=16, upscale=4)


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(
    ("build", "name", "scale", "tile"),
    [(swinir, "SwinIR", 2, 192), (scunet, "SCUNet", 1, 256), (dat, "DAT", 2, 192), (span, "SPAN", 4, 192)],
)
def test_foreign_networks_answer_as_themselves(
    tmp_path: Path, build: Callable[[], torch.nn.Module], name: str, scale: int, tile: int
) -> None:
    """From the file to a batch of two tiles: the sums of spandrel's own call, at the size and tiles of the architecture."""
    architecture(name)
    state = randomised(build(), gain=0.5)
    network = loaded(saved(state, tmp_path / f"{name}.pth"))
    assert isinstance(network, Upscaler)
    assert (network.traits.architecture, network.scale) == (name.lower(), scale)
    assert network.traits.tiling.tile == tile
    x = torch.rand(2, 3, 24, 40)
    with torch.inference_mode():
        ours, theirs = network(x), architecture(name).load(dict(state))(x)
    assert ours.shape == (2, 3, 24 * scale, 40 * scale)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_a_picture_smaller_than_an_architecture_wants_grows_too(tmp_path: Path) -> None:
    """SCUNet wants forty pixels; a strip of 9 x 5 is mirrored for it, and comes out a strip."""
    architecture("SCUNet")
    network = loaded(saved(randomised(scunet(), gain=0.3), tmp_path / "s.pth"))
    result, calls = run(enlarge(noise(9, 5), upscaler="net", scale=2.0), net=network)
    assert (result.size, calls) == ((16, 8), 1)  # a network that keeps the size runs once, Lanczos does the rest


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("toRGB.0.weight", "stylegan_decoder.style_mlp.1.weight"), "restores faces"),
        (("model.model.1.bn_l.running_mean",), "fills what a mask hides"),
        (("something.else",), "is no network of a kind that Easel or spandrel knows"),
    ],
)
def test_what_does_not_enlarge_is_told_so_by_its_header(names: tuple[str, ...], said: str) -> None:
    """Face restorers and inpainters are known before anything is loaded, and the sentence says what they are for."""
    with pytest.raises(BadFile, match=said):
        kind_of(dict.fromkeys(names, (4,)))


def test_a_foreign_file_that_does_not_fit_together_is_a_sentence() -> None:
    """Names of SCUNet and nothing behind them: no traceback of somebody else's code."""
    state = {"m_head.0.weight": torch.ones(1), "m_tail.0.weight": torch.ones(1)}
    assert find_architecture({name: tuple(value.shape) for name, value in state.items()}) == "SCUNet"
    with pytest.raises(BadFile, match="kind SCUNet, but its weights do not fit together"):
        load_architecture(state)
