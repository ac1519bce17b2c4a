"""Files that are there whole or not at all, with and without a name meanwhile; both ways on this machine's file system."""

from pathlib import Path

import pytest

from inference.engine.tools.output import MARK, check_room, target_in, unfinished
from inference.engine.tools.refusal import ToolRefused
from tests.unit.inference.tools.doing import listed

WAYS = pytest.mark.parametrize("nameless", [True, False])


def _write(target: Path, *, nameless: bool, error: type[BaseException] | None = None, theirs: bytes = b"") -> None:
    """Write a file; in the middle something is raised, or somebody else puts a file of that name there."""
    with unfinished(target, told=lambda _: None, nameless=nameless) as file:
        file.write(b"abc")
        if error is not None:
            raise error
        target.write_bytes(theirs)


@WAYS
def test_it_has_its_name_when_it_is_whole(tmp_path: Path, *, nameless: bool) -> None:
    """While it is written there is no such file, and a hidden one is told of; then it is there."""
    told: list[str] = []
    target = tmp_path / "a.bin"
    with unfinished(target, told=told.append, nameless=nameless) as file:
        file.write(b"abc")
        assert not target.exists()
        assert all(name.startswith(MARK) for name in listed(tmp_path))
        assert [Path(path).name for path in told] == listed(tmp_path)
    assert target.read_bytes() == b"abc"
    assert listed(tmp_path) == ["a.bin"]


@WAYS
def test_whatever_ends_it_leaves_nothing(tmp_path: Path, *, nameless: bool) -> None:
    """An error, Ctrl-C and a full disk in the middle; and what was there before stays."""
    target = tmp_path / "a.bin"
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            _write(target, nameless=nameless, error=error)
    with (
        pytest.raises(ToolRefused, match="is full"),
        unfinished(target, told=lambda _: None, nameless=nameless),
    ):
        raise OSError(28, "No space left on device")
    assert listed(tmp_path) == []
    target.write_bytes(b"old")
    with pytest.raises(ValueError, match="x"), unfinished(target, told=lambda _: None, replace=True, nameless=nameless):
        raise ValueError("x")
    assert (listed(tmp_path), target.read_bytes()) == (["a.bin"], b"old")


@WAYS
def test_nothing_is_replaced_that_appeared_meanwhile(tmp_path: Path, *, nameless: bool) -> None:
    """A file of that name that somebody put there while this one was written stays; unless it may be replaced."""
    target = tmp_path / "a.bin"
    with pytest.raises(ToolRefused, match="appeared"):
        _write(target, nameless=nameless, theirs=b"theirs")
    assert (listed(tmp_path), target.read_bytes()) == (["a.bin"], b"theirs")
    with unfinished(target, told=lambda _: None, replace=True, nameless=nameless) as file:
        file.write(b"new")
    assert (listed(tmp_path), target.read_bytes()) == (["a.bin"], b"new")


def test_room_and_targets(tmp_path: Path) -> None:
    """More than the disk has is refused before a byte; a link to a source is the source; a folder is no target."""
    check_room(tmp_path, 1)
    with pytest.raises(ToolRefused, match="MiB are needed"):
        check_room(tmp_path, 1 << 60)
    source = tmp_path / "a.bin"
    source.write_bytes(b"a")
    (tmp_path / "link.bin").symlink_to(source)
    (tmp_path / "folder.bin").mkdir()
    for stem, words in (("link", "not overwritten"), ("folder", "already a file")):
        with pytest.raises(ToolRefused, match=words):
            target_in(tmp_path, stem, ".bin", sources=(source,), overwrite=True)
