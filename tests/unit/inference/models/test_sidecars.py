"""What lies beside weights files, and what their headers say of training: words, weights, notes, pictures; or nothing."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from inference.api.result import ModelFile
from inference.engine import discovery
from inference.engine.discovery import discover
from inference.engine.hashing import FileMemory
from inference.engine.sidecars import NOTES, WORDS, look_beside, notes_of, trained_with, words_of
from tests.checkpoints import write_tiny_checkpoint

LORA = {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(1, 16)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with one LoRA, ink."""
    path = tmp_path / "models" / "Lora"
    path.mkdir(parents=True)
    save_file(LORA, path / "ink.safetensors")
    return path


def found(folder: Path) -> ModelFile:
    """The LoRA as it is found now."""
    (lora,) = discover([folder.parent], folder.parent / "cache").loras
    return lora


def test_the_webuis_notes_win(folder: Path) -> None:
    """Its words, weight, negative and notes before Civitai's and a text's; what it does not say comes from the others."""
    (folder / "ink.txt").write_text("inky, wet")
    assert found(folder).triggers == ("inky", "wet")
    info = {"trainedWords": ["ink wash, monochrome", 5], "description": "<p>Made of &amp; for ink.</p>"}
    (folder / "ink.civitai.info").write_text(json.dumps(info))
    assert found(folder).triggers == ("ink wash", "monochrome")
    notes = {"activation text": "sumi, ink", "preferred weight": 0.7, "negative text": "colour", "notes": ""}
    (folder / "ink.json").write_text(json.dumps(notes))
    lora = found(folder)
    assert (lora.triggers, lora.weight, lora.negative) == (("sumi", "ink"), 0.7, "colour")
    assert lora.notes == "Made of & for ink."
    (folder / "ink.json").unlink()
    (folder / "ink.civitai.info").unlink()
    (folder / "ink.txt").write_text("A LoRA for ink.\nUse it gently.")
    lora = found(folder)
    assert (lora.triggers, lora.notes) == ((), "A LoRA for ink. Use it gently.")


def test_a_sample_picture_is_found_as_in_the_webui(folder: Path, tmp_path: Path) -> None:
    """NAME.png before NAME.preview.png before .jpg and .webp; others are none; a link to elsewhere is not followed."""
    assert found(folder).preview == ""
    for name in ("ink.gif", "inky.png", "ink.preview.webp"):
        (folder / name).write_bytes(b"x")
    assert Path(found(folder).preview).name == "ink.preview.webp"
    for name in ("ink.jpg", "ink.preview.png", "ink.png"):
        (folder / name).write_bytes(b"x")
        assert Path(found(folder).preview).name == name
    (tmp_path / "secret.png").write_bytes(b"x")
    (folder / "ink.png").unlink()
    (folder / "ink.png").symlink_to(tmp_path / "secret.png")
    assert found(folder).preview == ""
    (folder / "ink.png").unlink()
    (folder / "ink.png").symlink_to(folder / "ink.jpg")
    assert Path(found(folder).preview).name == "ink.png"


def test_checkpoints_have_notes_and_pictures_too(tmp_path: Path) -> None:
    """A checkpoint's picture, notes and VAE are found beside it, below sub-folders as well."""
    path = tmp_path / "Stable-diffusion" / "sub" / "painter.safetensors"
    write_tiny_checkpoint(path)
    path.with_suffix(".png").write_bytes(b"x")
    path.with_suffix(".json").write_text(json.dumps({"description": "Paints.", "vae": "soft.pt"}))
    (info,) = discover([tmp_path], tmp_path / "cache").checkpoints
    assert (info.preview, info.notes, info.vae) == (str(path.with_suffix(".png")), "Paints.", "soft.pt")


def test_a_header_tells_what_was_trained(folder: Path) -> None:
    """Words that nearly every training picture carries call the LoRA forth; the most frequent ones are told in order."""
    tags = {"5_a": {"inkstyle": 10, "cat": 4, "1girl": 2}, "5_b": {"inkstyle": 9, "dog": 3, "cat": 1}}
    dirs = {"5_a": {"n_repeats": 5, "img_count": 10}, "5_b": {"n_repeats": 5, "img_count": 10}}
    metadata = {"ss_tag_frequency": json.dumps(tags), "ss_dataset_dirs": json.dumps(dirs)}
    save_file(LORA, folder / "ink.safetensors", metadata=metadata)
    lora = found(folder)
    assert lora.triggers == ("inkstyle",)
    assert lora.tags == ("inkstyle", "cat", "dog", "1girl")
    assert trained_with(metadata | {"modelspec.trigger_phrase": "sumi, wash"})[0] == ("sumi", "wash")
    assert trained_with({"ss_tag_frequency": json.dumps(tags)})[0] == ("inkstyle",)


def test_what_did_not_change_is_not_read_again(folder: Path) -> None:
    """Notes are remembered by size and time: a file that changed without changing either is still as it was."""
    path = folder / "ink.json"
    path.write_text(json.dumps({"activation text": "aaa"}))
    assert found(folder).triggers == ("aaa",)
    stat = path.stat()
    path.write_text(json.dumps({"activation text": "bbb"}))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert found(folder).triggers == ("aaa",)
    os.utime(path, ns=(1, 1))
    assert found(folder).triggers == ("bbb",)


def test_a_memory_of_an_earlier_easel_is_asked_again_and_not_hashed_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers are looked at anew where more is wanted of them; the hashes, which cost minutes, are kept."""
    tags = json.dumps({"a": {"inkstyle": 3}})
    save_file(LORA, folder / "ink.safetensors", metadata={"ss_tag_frequency": tags})
    before = found(folder)
    path = folder.parent / "cache" / "models.json"
    stored = json.loads(path.read_text())
    facts = stored["files"][str(folder / "ink.safetensors")]
    del facts["judged"], facts["tags"], facts["triggers"]
    path.write_text(json.dumps(stored))

    def no_digest(path: Path) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(discovery, "digest", no_digest)
    assert found(folder) == before
    assert before.tags == ("inkstyle",)


LIES: dict[str, Any] = {
    "ink.json": [
        b"",
        b"{",
        b"[1]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"activation text": 5, "preferred weight": "x", "vae": [], "notes": {}}',
        b'{"preferred weight": 1e999, "activation text": "' + b"x," * 9999 + b'"}',
        b'{"preferred weight": 99}',
    ],
    "ink.civitai.info": [b"5", b'{"trainedWords": 5}', b'{"trainedWords": [[], null, {}]}', b"x" * 3_000_000],
    "ink.txt": [b"\0" * 5000, b"\xff" * 5000, b"," * 5000],
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, rows in LIES.items() for data in rows])
def test_notes_that_lie_are_not_there(folder: Path, name: str, data: bytes) -> None:
    """Damaged, deep, huge and wrongly typed notes break nothing and are cut to a length."""
    (folder / name).write_bytes(data)
    lora = found(folder)
    assert lora.weight == 0
    assert len(lora.triggers) <= WORDS
    assert len(lora.notes) <= NOTES
    assert (folder.parent / "cache" / "models.json").is_file()


@pytest.mark.parametrize("text", [
    "{", "5", "[]", '{"a": 5}', '{"a": {"b": "c"}}', '{"a": {"b": -5}}', '{"a": {"": 5}}', '{"a": {"b": 1e400}}', "[" * 90_000,
    '{"a": {"b": ' + "9" * 4000 + "}}",
])  # fmt: skip
def test_training_tables_that_lie_say_nothing_wrong(text: str) -> None:
    """Any text in a header's tables is an answer."""
    triggers, tags = trained_with({"ss_tag_frequency": text, "ss_dataset_dirs": text})
    assert len(triggers) <= 3
    assert len(tags) <= WORDS


@given(st.text(max_size=2000))
def test_any_text_is_words_and_notes(text: str) -> None:
    """What strangers write becomes single lines of what can be seen, cut to a length."""
    assert all(word == " ".join(word.split()) and word for word in words_of(text))
    assert len(words_of(text)) <= WORDS
    assert len(notes_of(text)) <= NOTES
    assert notes_of(text).isprintable()


def test_a_folder_that_is_gone_is_nothing(tmp_path: Path) -> None:
    """A file that went away between the look and the reading is as if it had never been there."""
    told = look_beside(tmp_path / "ink.safetensors", {"ink.json", "ink.txt"}, FileMemory(tmp_path))
    assert (told.triggers, told.notes) == ((), "")
