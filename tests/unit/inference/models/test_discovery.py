"""The models folders: what is found, how it is named, and what is said of the rest."""

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inference.api.lookup import choose_vae, find_by_hash, find_checkpoint, find_lora, title
from inference.api.result import Inventory, ModelFile
from inference.engine.discovery import discover, natural
from tests.checkpoints import (
    tiny_weights,
    write_hostile_checkpoint,
    write_text_file,
    write_tiny_checkpoint,
    write_truncated_checkpoint,
)


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    """A models folder with good and bad files on every shelf."""
    root = tmp_path / "models"
    folder = root / "Stable-diffusion"
    write_tiny_checkpoint(folder / "painter v10.safetensors")
    write_tiny_checkpoint(folder / "painter v2.safetensors", seed=1)
    write_tiny_checkpoint(folder / "sub" / "other.ckpt", seed=2, family="sdxl")
    write_text_file(folder / "web.safetensors")
    write_truncated_checkpoint(folder / "cut.safetensors")
    write_hostile_checkpoint(folder / "evil.ckpt", tmp_path / "marker")
    prefix = "first_stage_model."
    vae = {key.removeprefix(prefix): value for key, value in tiny_weights().items() if key.startswith(prefix)}
    (root / "VAE").mkdir()
    save_file(vae, root / "VAE" / "soft.safetensors")
    save_file(vae, folder / "painter v2.vae.safetensors")
    lora = {"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": torch.ones(1, 16)}
    (root / "Lora" / "styles").mkdir(parents=True)
    path = root / "Lora" / "styles" / "inky.safetensors"
    save_file(lora, path, metadata={"ss_output_name": "ink", "ss_base_model_version": "sd_v1"})
    path.with_suffix(".json").write_text(json.dumps({"activation text": "ink, wash", "preferred weight": 0.7}))
    (root / "embeddings").mkdir()
    torch.save({"string_to_param": {"*": torch.ones(2, 768)}}, root / "embeddings" / "glimmer.pt")
    return root


def test_everything_good_is_listed_in_natural_order(shelves: Path, tmp_path: Path) -> None:
    """Checkpoints, VAEs, LoRAs and embeddings carry the webui's names, families and hashes, v2 before v10."""
    inventory = discover([shelves], tmp_path / "cache")
    assert [(info.name, info.family) for info in inventory.checkpoints] == [
        ("painter v2", "sd1"),
        ("painter v10", "sd1"),
        ("sub/other", "sdxl"),
    ]
    first = inventory.checkpoints[0]
    data = Path(first.path).read_bytes()
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert first.hash == first.sha256[:10]
    assert first.old_hash == hashlib.sha256(data[0x100000:0x110000]).hexdigest()[:8]
    assert first.native == 64
    assert [info.name for info in inventory.vaes] == ["painter v2.vae.safetensors", "soft.safetensors"]
    (lora,) = inventory.loras
    assert (lora.name, lora.alias, lora.triggers, lora.weight) == ("inky", "ink", ("ink", "wash"), 0.7)
    raw = Path(lora.path).read_bytes()
    assert lora.hash == hashlib.sha256(raw[8 + int.from_bytes(raw[:8], "little") :]).hexdigest()[:12]
    (embedding,) = inventory.embeddings
    assert (embedding.name, embedding.family) == ("glimmer", "sd1")


@pytest.mark.parametrize(("said", "kept"), [(5, 5.0), (4.5, 4.5), (0, 0.0), (900, 0.0), ("7", 0.0), (True, 0.0)])
def test_a_checkpoints_config_may_ask_for_a_guidance(shelves: Path, tmp_path: Path, said: object, kept: float) -> None:
    """`cfg_scale` beside a checkpoint is told of that one alone; what is no guidance counts as none."""
    beside = shelves / "Stable-diffusion" / "painter v2.json"
    shapes = json.loads(beside.read_text()) if beside.exists() else {}
    beside.write_text(json.dumps(shapes | {"cfg_scale": said}))
    inventory = discover([shelves], tmp_path / "cache")
    assert [(info.name, info.cfg_scale) for info in inventory.checkpoints[:2]] == [
        ("painter v2", kept),
        ("painter v10", 0.0),
    ]


def test_every_bad_file_is_a_sentence(shelves: Path, tmp_path: Path) -> None:
    """Broken files become problems that begin with the file's name; nothing raises and no pickle runs."""
    inventory = discover([shelves], tmp_path / "cache")
    sentences = {Path(problem.path).name: problem.sentence for problem in inventory.problems}
    assert set(sentences) == {"web.safetensors", "cut.safetensors", "evil.ckpt"}
    assert all(sentence.startswith(name) for name, sentence in sentences.items())
    assert not (tmp_path / "marker").exists()


def test_links_may_not_leave_the_roots(shelves: Path, tmp_path: Path) -> None:
    """A link within a root is followed once, a link to elsewhere is a problem, and a circle ends."""
    outside = tmp_path / "outside"
    write_tiny_checkpoint(outside / "far.safetensors")
    folder = shelves / "Stable-diffusion"
    (folder / "away").symlink_to(outside)
    (folder / "circle").symlink_to(folder)
    (folder / "file.safetensors").symlink_to(outside / "far.safetensors")
    (folder / "near.safetensors").symlink_to(folder / "painter v2.safetensors")
    inventory = discover([shelves], tmp_path / "cache")
    assert [info.name for info in inventory.checkpoints] == ["near", "painter v2", "painter v10", "sub/other"]
    said = {
        Path(problem.path).name for problem in inventory.problems if "outside the models folders" in problem.sentence
    }
    assert said == {"away", "file.safetensors"}
    both = discover([shelves, outside], tmp_path / "cache")
    assert "away/far" in [info.name for info in both.checkpoints]


def test_files_are_read_again_only_when_they_change(shelves: Path, tmp_path: Path) -> None:
    """What was hashed is not read again while size and time stay; a changed time is noticed; the memory survives damage."""
    cache = tmp_path / "cache"
    before = discover([shelves], cache)
    path = shelves / "Stable-diffusion" / "painter v2.safetensors"
    stat = path.stat()
    write_tiny_checkpoint(path, seed=7)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert discover([shelves], cache) == before
    os.utime(path, ns=(1, 1))
    after = discover([shelves], cache)
    assert after.checkpoints[0].hash != before.checkpoints[0].hash
    (cache / "models.json").write_bytes(b"{broken")
    assert discover([shelves], cache) == after


def test_a_webui_folder_is_a_root_and_missing_ones_are_fine(tmp_path: Path) -> None:
    """The folder above models/ works as a root, with embeddings/ beside models/; a folder that is not there gives nothing."""
    write_tiny_checkpoint(tmp_path / "webui" / "models" / "Stable-diffusion" / "a.safetensors")
    (tmp_path / "webui" / "embeddings").mkdir()
    save_file({"emb_params": torch.ones(1, 1024)}, tmp_path / "webui" / "embeddings" / "b.safetensors")
    inventory = discover([tmp_path / "webui", tmp_path / "nowhere"], tmp_path / "cache")
    assert [info.name for info in (*inventory.checkpoints, *inventory.embeddings)] == ["a", "b"]
    assert discover([tmp_path / "nowhere"], tmp_path / "cache") == Inventory()


def test_natural_order_counts_numbers() -> None:
    """Numbers inside names sort by value, letters without regard to case."""
    assert sorted(["b2", "a10", "A9", "10", "9"], key=natural) == ["9", "10", "A9", "a10", "b2"]


def _file(name: str, digits: str, ending: str = ".safetensors", **more: str) -> ModelFile:
    return ModelFile(name, f"/m/{name}{ending}", digits, "sd1", **more)


def test_checkpoints_are_found_as_in_the_webui() -> None:
    """Hashes, names, stems and titles match exactly first, then the shortest title that contains the text, then without hash."""
    files = (
        _file("real", "1111111111", old_hash="aabbccdd"),
        _file("sub/realistic", "2222222222", sha256="2" * 64),
        _file("realistic-vision", "3333333333"),
    )
    inventory = Inventory(checkpoints=files)
    cases = {
        "real": 0,
        "aabbccdd": 0,
        "1111111111": 0,
        "real.safetensors [1111111111]": 0,
        "sub_realistic": 1,
        "realistic": 1,
        "2" * 64: 1,
        "realistic [2222222222]": 1,
        "vision": 2,
        "REALISTIC-VISION": 2,
        "realistic-vision [ffffffffff]": 2,
    }
    found = {text: find_checkpoint(inventory, text) for text in cases}
    assert found == {text: files[index] for text, index in cases.items()}
    assert find_checkpoint(inventory, "unheard of") is None
    assert find_checkpoint(inventory, " ") is None
    assert title(files[1]) == "sub/realistic.safetensors [2222222222]"


def test_loras_are_found_by_stem_alias_and_hash() -> None:
    """A stem wins over an alias, and an alias that two files share names neither."""
    one, two, three = (
        _file("a", "123456789abc", alias="x"),
        _file("b", "2" * 12, alias="x"),
        _file("c", "", alias="y"),
    )
    inventory = Inventory(loras=(one, two, three))
    assert [find_lora(inventory, text) for text in ("a", "x", "y", "A", "")] == [one, None, three, None, None]
    assert find_by_hash(inventory.loras, "12345678") is one
    assert find_by_hash(inventory.loras, "1234") is None


def test_vaes_are_chosen_by_name_notes_and_stem() -> None:
    """Names win; Automatic takes the noted one, else the first that starts with the stem; unknown names are an error."""
    files = (
        ModelFile("real.vae.pt", "/m/real.vae.pt", "1" * 10, "unknown"),
        ModelFile("soft.safetensors", "/v/soft.safetensors", "2" * 10, "unknown"),
    )
    inventory = Inventory(vaes=files)
    plain = _file("sub/real", "")
    assert choose_vae(inventory, plain) is files[0]
    assert choose_vae(inventory, plain, "None") is None
    assert choose_vae(inventory, plain, "soft") is files[1]
    assert choose_vae(inventory, _file("real", "", vae="soft.safetensors")) is files[1]
    assert choose_vae(inventory, _file("other", "")) is None
    with pytest.raises(LookupError, match="no VAE called “x”"):
        choose_vae(inventory, plain, "x")
