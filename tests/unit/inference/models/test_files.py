"""Files of weights: read when they are good, refused with a reason when they lie."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inference.engine.bad_file import BadFile
from inference.engine.families import identify
from inference.engine.headers import MAX_HEADER, read_header
from inference.engine.pickles import read_pickle, tensors_of
from inference.engine.weights import WeightsFile, read_shapes
from tests.checkpoints import (
    tiny_weights,
    write_hostile_checkpoint,
    write_hostile_pickle,
    write_text_file,
    write_tiny_checkpoint,
    write_truncated_checkpoint,
)


def _safetensors(path: Path, header: object, payload: bytes = b"") -> Path:
    body = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(body)) + body + payload)
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.ckpt"])
def test_both_formats_give_the_same_weights(tmp_path: Path, name: str) -> None:
    """A checkpoint holds the same tensors whether it is a safetensors file or a nested pickle."""
    path = write_tiny_checkpoint(tmp_path / name, seed=3)
    want = tiny_weights(seed=3)
    with WeightsFile(path) as file:
        assert set(file) == set(want)
        assert all(torch.equal(file.read(key), value) for key, value in want.items())
    assert read_shapes(path)[0] == {key: tuple(value.shape) for key, value in want.items()}


@pytest.mark.parametrize("write", [write_hostile_checkpoint, write_hostile_pickle])
def test_a_pickle_never_runs_code(tmp_path: Path, write) -> None:  # type: ignore[no-untyped-def]
    """A pickle that would make a folder is refused by the name of what it wanted to run, and the folder is not made."""
    marker = tmp_path / "marker"
    path = write(tmp_path / "evil.ckpt", marker)
    for shapes_only in (True, False):
        with pytest.raises(BadFile, match=r"would run “\w+\.mkdir”"):
            read_pickle(path, shapes_only=shapes_only)
    assert not marker.exists()


def test_old_embeddings_with_a_parameter_dict_are_read(tmp_path: Path) -> None:
    """Classes that occur in old files become inert bags, and numbers of numpy do not hinder reading."""
    table = {
        "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.ones(2, 4))}),
        "lr": np.float64(3),
        "state_dict": {"w": torch.ones(1)},
    }
    torch.save(table, tmp_path / "e.pt")
    value = read_pickle(tmp_path / "e.pt")
    assert torch.equal(value["string_to_param"].state["_parameters"]["*"], torch.ones(2, 4))
    assert set(tensors_of(value)) == {"w"}


def test_zip_members_that_torch_does_not_write_are_refused(tmp_path: Path) -> None:
    """A zip with a path that climbs out is refused before anything is read from it."""
    import zipfile

    path = write_tiny_checkpoint(tmp_path / "a.ckpt")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.py", "x")
    with pytest.raises(BadFile, match="which no file of weights has"):
        read_pickle(path)


def test_a_text_file_and_a_cut_off_one_are_told_apart(tmp_path: Path) -> None:
    """A web page saved as weights and a broken-off download each get their own sentence."""
    with pytest.raises(BadFile, match="is a text file"):
        read_shapes(write_text_file(tmp_path / "a.safetensors"))
    with pytest.raises(BadFile, match="is cut off: it should have"):
        read_shapes(write_truncated_checkpoint(tmp_path / "b.safetensors"))
    with pytest.raises(BadFile, match=r"rename it to \.ckpt"):
        read_shapes(write_tiny_checkpoint(tmp_path / "c.ckpt").rename(tmp_path / "c.safetensors"))
    (tmp_path / "d.safetensors").write_bytes(b"\0\0")
    with pytest.raises(BadFile, match="only 2 bytes"):
        read_shapes(tmp_path / "d.safetensors")


@pytest.mark.parametrize(
    ("entry", "payload"),
    [
        ({"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}, b"\0" * 4),
        ({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, b"\0" * 4),
        ({"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}, b"\0" * 4),
        ({"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}, b"\0" * 8),
        ({"dtype": "Q4", "shape": [1], "data_offsets": [0, 4]}, b"\0" * 4),
        ({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, b"\0" * 9),
        ("nonsense", b""),
    ],
)
def test_headers_that_lie_are_refused(tmp_path: Path, entry: object, payload: bytes) -> None:
    """Shapes, offsets and sizes that do not agree are refused before any memory is taken by them."""
    with pytest.raises(BadFile):
        read_header(_safetensors(tmp_path / "a.safetensors", {"w": entry}, payload))


def test_a_header_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    """A file that announces a header of gigabytes is refused by that number alone."""
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", MAX_HEADER * 40) + b"\x00\x01" * 64)
    with pytest.raises(BadFile, match="cut off or damaged"):
        read_header(path)


@given(data=st.binary(max_size=300))
def test_reading_headers_is_total(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes give a header or a BadFile, nothing else."""
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    for content in (data, struct.pack("<Q", len(data)) + data):
        path.write_bytes(content)
        try:
            header = read_header(path)
        except BadFile:
            continue
        else:
            assert set(header.shapes) == set(header.kinds)


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_families_are_told_by_keys(family) -> None:  # type: ignore[no-untyped-def]
    """SD1, SD2 and SDXL are told apart by the names of their weights, whatever their widths."""
    assert identify({key: tuple(value.shape) for key, value in tiny_weights(family=family).items()}).id == family


@pytest.mark.parametrize(("channels", "word"), [(5, "depth"), (8, "pix2pix")])
def test_checkpoints_of_other_uses_are_named(channels: int, word: str) -> None:
    """A depth or pix2pix checkpoint is refused as what it is."""
    shapes = {key: tuple(value.shape) for key, value in tiny_weights().items()}
    shapes["model.diffusion_model.input_blocks.0.0.weight"] = (16, channels, 3, 3)
    with pytest.raises(BadFile, match=word):
        identify(shapes)
