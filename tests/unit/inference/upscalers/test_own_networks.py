"""RRDB and compact networks, which are our own code: every form of file, the sums of spandrel's, and what no file may be."""

from pathlib import Path

import pytest
import torch

from inference.engine.bad_file import BadFile
from inference.engine.picture import to_unit
from inference.engine.upscalers.compact import Compact
from inference.engine.upscalers.network import Upscaler
from tests.unit.inference.upscalers.files import architecture, loaded, named, noise, randomised, rrdb, saved

SHAPES = [
    ("new", 2, 1),
    ("new", 2, 2),
    ("new", 2, 4),
    ("bsrgan", 2, 1),
    ("bsrgan", 1, 1),
    ("old", 0, 1),
    ("old", 1, 1),
    ("old", 2, 1),
    ("old", 3, 1),
]


@pytest.mark.parametrize(("form", "ups", "fold"), SHAPES)
def test_rrdb_in_every_form_answers_as_spandrel(tmp_path: Path, form: str, ups: int, fold: int) -> None:
    """Names of ESRGAN, BSRGAN and Real-ESRGAN, for 1, 2, 4 and 8 times: what we build computes what spandrel's network does."""
    state = named(rrdb(ups=ups, fold=fold).state_dict(), form)
    network = loaded(saved(state, tmp_path / "4x_Some.pth"))
    theirs = architecture("ESRGAN").load(dict(state))
    x = torch.rand(2, 3, 16, 20)
    with torch.inference_mode():
        ours = network(x)
    assert isinstance(network, Upscaler)
    assert network.traits.architecture == "esrgan"
    assert network.scale == theirs.scale == 2**ups // fold
    torch.testing.assert_close(ours, theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_compact_answers_as_spandrel(tmp_path: Path, scale: int) -> None:
    """The small networks of Real-ESRGAN, whatever they enlarge."""
    state = randomised(Compact(channels=3, width=8, depth=3, scale=scale))
    network = loaded(saved(state, tmp_path / "net.safetensors"))
    x = torch.rand(1, 3, 13, 9)
    torch.testing.assert_close(network(x), architecture("Compact").load(dict(state))(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("around", ["params", "params_ema", "state_dict", "model", "net"])
def test_weights_may_be_wrapped(tmp_path: Path, around: str) -> None:
    """Training programs put weights into a table, and names behind a prefix; the averaged ones are taken where both are there."""
    net = rrdb()
    good = {f"module.{name}": value for name, value in named(net.state_dict(), "new").items()}
    bad = {name: torch.zeros_like(value) for name, value in good.items()}
    wrapped = {"params": bad, "params_ema": good} if around == "params_ema" else {around: good}
    network = loaded(saved(wrapped, tmp_path / "x.pth"))
    x = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(network(x), net(x).clamp(0, 1), atol=1e-5, rtol=1e-5)


def test_odd_sides_are_continued_by_their_mirror_image(tmp_path: Path) -> None:
    """The network for 2 times folds pixels in fours: a picture of odd sides becomes twice as large all the same."""
    network = loaded(saved(named(rrdb(fold=2).state_dict(), "new"), tmp_path / "2x.pth"))
    picture = to_unit(noise(21, 13))
    with torch.inference_mode():
        large = network(picture)
        assert large.shape == (1, 3, 26, 42)
        assert network(picture[..., :1, :1]).shape == (1, 3, 2, 2)


def test_a_network_for_grey_pictures_sees_the_channels_one_by_one(tmp_path: Path) -> None:
    """A picture keeps its colours in a network of one channel."""
    grey = rrdb(channels=1)
    network = loaded(saved(named(grey.state_dict(), "new"), tmp_path / "grey.pth"))
    x = torch.rand(2, 3, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(network(x)[1:, 2:], grey(x[1:, 2:]).clamp(0, 1), atol=1e-5, rtol=1e-5)


def test_half_a_network_is_a_sentence(tmp_path: Path) -> None:
    """Weights that do not fit together, numbers that are none, a file that is cut off, text, code in a pickle: each says so."""
    state = named(rrdb().state_dict(), "new")
    cases = {
        "missing.pth": ({name: value for name, value in state.items() if "rdb2" not in name}, "do not fit together"),
        "nan.safetensors": (state | {"conv_last.bias": torch.tensor([1.0, float("nan"), 0.0])}, "NaN or infinite"),
        "endless.pth": (state | {"conv_last.bias": torch.tensor([1.0, float("inf"), 0.0])}, "NaN or infinite"),
        "five.pth": (named(rrdb(channels=5).state_dict(), "new"), "sees 5 channels"),
        "code.pth": ({"params": state, "more": Path("/etc")}, "is refused: opening it would run"),
    }
    for name, (content, said) in cases.items():
        with pytest.raises(BadFile, match=said):
            loaded(saved(content, tmp_path / name))
    whole = saved(state, tmp_path / "whole.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "page.pth").write_text("<html>Not found</html>")
    for name in ("cut.pth", "page.pth"):
        with pytest.raises(BadFile, match=r"is cut off|is damaged or is no file|is no plain file"):
            loaded(tmp_path / name)
