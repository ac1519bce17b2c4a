"""`models check`: each kind of trouble is found, named with its file, and told what to do about; good folders say nothing."""

import json
import os
import shutil
from pathlib import Path

import torch

from inference.api.tools import Check, Checked, Finding
from inference.engine.discovery import discover
from inference.engine.tools.output import MARK
from tests.checkpoints import (
    write_hostile_checkpoint,
    write_hostile_pickle,
    write_text_file,
    write_tiny_checkpoint,
    write_truncated_checkpoint,
)
from tests.unit.inference.tools.doing import POSITIONS, did, read, write


def findings(root: Path) -> tuple[Checked, dict[str, Finding]]:
    """What a check of `root` says, by the names of the files."""
    outcome, told = did(Check(roots=(str(root),), cache=str(root.parent / "cache")))
    assert isinstance(outcome, Checked)
    return outcome, {Path(each.path).name: each for each in told if isinstance(each, Finding)}


def test_good_folders(tmp_path: Path) -> None:
    """Whole files of every shelf and format give no finding, and all of their bytes are read."""
    models = tmp_path / "models"
    paths = [
        write_tiny_checkpoint(models / "Stable-diffusion" / "a.safetensors"),
        write_tiny_checkpoint(models / "Stable-diffusion" / "b.ckpt", seed=2, family="sd2"),
        write_tiny_checkpoint(models / "Stable-diffusion" / "c.safetensors", family="sdxl"),
        write_tiny_checkpoint(models / "Stable-diffusion" / "d.safetensors", seed=3, inpainting=True),
        write(
            models / "Lora" / "l.safetensors",
            {f"lora_unet_x.lora_{n}.weight": torch.ones(4, 4) for n in ("up", "down")},
        ),
    ]
    embedding = models / "embeddings" / "e.pt"
    embedding.parent.mkdir()
    torch.save({"string_to_param": {"*": torch.ones(2, 768)}, "name": "e"}, embedding)
    network = models / "hypernetworks" / "h.pt"
    network.parent.mkdir()
    torch.save({320: [{"linear.weight": torch.ones(2, 2)}, {"linear.weight": torch.ones(2, 2)}]}, network)
    outcome, found = findings(models)
    assert found == {}
    assert outcome == Checked(7, sum(path.stat().st_size for path in (*paths, embedding, network)))


def test_every_trouble_is_named(tmp_path: Path) -> None:
    """One bad file of each kind among good ones: a sentence with its name and advice that fits, and no code ran."""
    models, marker = tmp_path / "models", tmp_path / "ran"
    shelf = models / "Stable-diffusion"
    good = write_tiny_checkpoint(shelf / "good.safetensors")
    weights = read(good)
    write_text_file(shelf / "page.safetensors")
    write_truncated_checkpoint(shelf / "cut.safetensors")
    write_hostile_checkpoint(shelf / "trap.ckpt", marker)
    write_hostile_pickle(models / "ESRGAN" / "trap.pth", marker)
    write_hostile_pickle(shelf / "aside.bin", marker)
    key = next(key for key in weights if key.endswith("to_k.weight"))
    bad = dict(weights)
    bad[key] = bad[key].clone()
    bad[key][0, 0] = torch.nan
    write(shelf / "nan.safetensors", bad)
    write(shelf / "lacks.safetensors", {name: value for name, value in weights.items() if name != key})
    write(shelf / "shape.safetensors", weights | {key: torch.ones(3, 3).half()})
    write(shelf / "ids.safetensors", weights | {POSITIONS: torch.arange(77).unsqueeze(0).half() * 0.99})
    for name in ("nan", "lacks", "shape", "ids"):
        shutil.copy(good.with_suffix(".json"), shelf / f"{name}.json")
    write(models / "Lora" / "half.safetensors", {"lora_unet_x.lora_up.weight": torch.ones(4, 4)})
    write(
        models / "Lora" / "inf.safetensors",
        {f"lora_unet_x.lora_{n}.weight": torch.full((4, 4), torch.inf) for n in ("up", "down")},
    )
    write(shelf / "vae.safetensors", {"decoder.conv_in.weight": torch.ones(4, 4, 3, 3)})
    (shelf / f"{MARK}9-x.safetensors").write_bytes(b"half")
    _, found = findings(models)
    expected = {
        "page.safetensors": ("is a text file", "Download it again"),
        "cut.safetensors": ("is cut off", "Download it again"),
        "trap.ckpt": ("would run", "Delete it"),
        "trap.pth": ("would run", "Delete it"),
        "aside.bin": ("would run", "Delete it"),
        "nan.safetensors": (f"such as “{key}”", "Download it again"),
        "lacks.safetensors": (f"lacks 1 of the UNet's weights, such as “{key}”", "Download it again"),
        "shape.safetensors": ("with the shape (3, 3)", "Download it again"),
        "ids.safetensors": ("wrong position ids", "--fix-clip"),
        "half.safetensors": ("is not complete", "Download it again"),
        "inf.safetensors": ("infinite", "Download it again"),
        "vae.safetensors": ("belongs in models/VAE", "Move it there"),
        f"{MARK}9-x.safetensors": ("half of a file", "Delete it"),
    }
    assert found.keys() == expected.keys()
    for name, (words, advice) in expected.items():
        assert words in found[name].sentence
        assert advice in found[name].advice
        assert found[name].sentence.startswith(name)
    assert not marker.exists()


def test_twins_rot_and_pictures_from_elsewhere(tmp_path: Path) -> None:
    """The same bytes twice; bytes that changed under the same size and time; a sample picture that leads out of the folders."""
    models = tmp_path / "models"
    shelf = models / "Stable-diffusion"
    a = write_tiny_checkpoint(shelf / "a.safetensors")
    b = write_tiny_checkpoint(shelf / "b.safetensors", seed=2)
    discover([models], tmp_path / "cache")
    stat = b.stat()
    data = bytearray(b.read_bytes())
    data[-1] ^= 1
    b.write_bytes(data)
    os.utime(b, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    shutil.copy(a, shelf / "c.safetensors")
    shutil.copy(a.with_suffix(".json"), shelf / "c.json")
    (tmp_path / "secret.png").write_bytes(b"png")
    (shelf / "a.png").symlink_to(tmp_path / "secret.png")
    _, found = findings(models)
    assert found.keys() == {"a.png", "b.safetensors", "c.safetensors"}
    assert "not what it was" in found["b.safetensors"].sentence
    assert "disk may be failing" in found["b.safetensors"].advice
    assert f"the same as {a}" in found["c.safetensors"].sentence
    assert "out of the models folders" in found["a.png"].sentence
    assert [found[name].grave for name in sorted(found)] == [False, True, False]


def test_a_config_that_is_no_json(tmp_path: Path) -> None:
    """What lies beside a checkpoint is looked at too."""
    path = write_tiny_checkpoint(tmp_path / "models" / "Stable-diffusion" / "a.safetensors")
    path.with_suffix(".json").write_text(json.dumps({"unet": {"layers_per_block": "many"}}), encoding="utf-8")
    _, found = findings(tmp_path / "models")
    assert "config beside it that makes no model" in found["a.safetensors"].sentence
