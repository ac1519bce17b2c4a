"""`python run.py models …` from its words to the exit status, through the entry that run.py starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.commands.model_files import CHECKPOINTS, file_named
from bot.commands.model_tools import add
from bot.downloads.adding import Wish, ways_of
from bot.errors import Unknown
from bot.settings import PROJECT
from tests.unit.bot.commands.conftest import Make
from tests.unit.bot.downloads.shelf_server import HERE, Shelf, serving


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status and both streams of `python -m bot models …`, with models in `folder`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "PYTHONUTF8": "1",
        "EASEL_PATHS__MODELS": str(folder / "models"),
        "EASEL_PATHS__DATA": str(folder / "data"),
    }
    command = [sys.executable, "-P", "-m", "bot", "models", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    return done.returncode, done.stdout, done.stderr


def lora_file(path: Path) -> Path:
    """A small file of weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Shelf().data)
    return path


def test_convert_by_path_and_by_name(tmp_path: Path) -> None:
    """A relative path means the caller's folder, a name the models folders; the second time the target exists."""
    source = lora_file(tmp_path / "models" / "Stable-diffusion" / "old" / "fox.safetensors")
    status, said, _ = run(tmp_path, "convert", "models/Stable-diffusion/old/fox.safetensors")
    assert status == 0
    assert f"made {source.with_name('fox-fp16.safetensors')}" in said
    status, _, refused = run(tmp_path, "convert", "old/fox")
    assert status == 1
    assert "There is already a file fox-fp16.safetensors" in refused
    assert "Traceback" not in refused


def test_words_that_are_wrong(tmp_path: Path) -> None:
    """Unknown names are answered with the nearest, private addresses and unknown kinds with a sentence; each ends with 1."""
    lora_file(tmp_path / "models" / "Stable-diffusion" / "fox.safetensors")
    cases = (
        (("convert", "fix"), "did you mean “fox”"),
        (("merge", "fox", "fix"), "did you mean “fox”"),
        (("add", "https://127.0.0.1/fox.safetensors"), "not a public address"),
        (("add", "http://example.org/fox.safetensors"), "begin with https://"),
        (("add", "ada/fox", "--kind", "lorra"), "did you mean “lora”"),
        (("add", "ada/fox", "--max-gib", "-1"), "size in GiB"),
    )
    for arguments, words in cases:
        status, said, refused = run(tmp_path, *arguments)
        assert status == 1
        assert words in said + refused
        assert "Traceback" not in refused
    status, _, refused = run(tmp_path, "convert", "fox", "--precision", "fp17")
    assert status == 2
    assert 'Did you mean "fp16"?' in refused


def test_check_ends_with_one_where_something_is_wrong(tmp_path: Path) -> None:
    """A page under a model's name is a fault with its path and advice."""
    (tmp_path / "models" / "Lora").mkdir(parents=True)
    (tmp_path / "models" / "Lora" / "page.safetensors").write_text("<html>" * 10, encoding="utf-8")
    status, said, _ = run(tmp_path, "check")
    assert status == 1
    assert "fault  page.safetensors is a text file" in said
    assert "Download it again" in said
    assert "1 file with 0.00 GiB read" in said


async def test_add_says_what_came(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """Over loopback, with the engine's judgement: where it is, what it is, its digest."""
    from msgspec.structs import replace

    settings = make()
    async with serving(Shelf()) as shelf:
        ways = replace(ways_of(settings), reach=HERE)
        assert await add(settings, Wish(source=f"{shelf.url}files/fox.safetensors"), ways=ways) == 0
    said = capsys.readouterr().out
    assert f"added {settings.model_folders[0] / 'Lora' / 'fox.safetensors'}" in said
    assert "It is a LoRA for Stable Diffusion 1" in said


def test_names_of_files(make: Make, tmp_path: Path) -> None:
    """With and without ending, with and without folder; hidden files and other endings are none."""
    settings = make()
    path = lora_file(tmp_path / "models" / "Stable-diffusion" / "old" / "fox.v2.safetensors")
    lora_file(tmp_path / "models" / "Stable-diffusion" / ".fox.safetensors")
    for text in ("old/fox.v2.safetensors", "old/fox.v2", "fox.v2", "fox.v2.safetensors", str(path)):
        assert file_named(text, settings, folders=CHECKPOINTS, kind="checkpoint") == path
    for text in (".fox", "fox.v3", "/nowhere/fox"):
        with pytest.raises(Unknown):
            file_named(text, settings, folders=CHECKPOINTS, kind="checkpoint")
