"""Picture files: whole or not there, by the hash of what is in them."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from storage.errors import DatabaseUnavailable, Missing
from storage.pictures import PictureStore


@pytest.fixture
def store(tmp_path: Path) -> PictureStore:
    """An empty store."""
    store = PictureStore(tmp_path / "pictures")
    store.prepare()
    return store


def files_below(folder: Path) -> list[str]:
    """Every file, by its path."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


async def test_what_is_put_comes_back(store: PictureStore, tmp_path: Path) -> None:
    """Bytes are kept once under their sha256, in a folder named by its first two digits, and nothing else lies about."""
    sha256 = await store.put(b"fox")
    assert sha256 == hashlib.sha256(b"fox").hexdigest()
    assert await store.put(b"fox") == sha256
    assert await store.get(sha256) == b"fox"
    assert await store.has(sha256)
    assert files_below(tmp_path) == [f"pictures/{sha256[:2]}/{sha256}.png"]


@pytest.mark.parametrize("name", ["0" * 64, "", "../../easel.sqlite3", "A" * 64, "0" * 63 + "\n"])
async def test_names_that_are_no_picture(store: PictureStore, name: str) -> None:
    """A hash that is not here is Missing, and a text that is no hash never becomes a path."""
    with pytest.raises(Missing, match="That picture is gone"):
        await store.get(name)


async def test_dropping(store: PictureStore) -> None:
    """Dropped files are gone; dropping them again is no trouble, and others stay."""
    one, two = await store.put_all([b"one", b"two"])
    for _ in range(2):
        await store.drop([one])
    assert await store.hashes() == {two}


async def test_many_at_once(store: PictureStore) -> None:
    """The same and different pictures put at the same moment are all kept, whole."""
    data = [bytes([n % 5]) * 100_000 for n in range(40)]
    hashes = await asyncio.gather(*(store.put(one) for one in data))
    assert await store.hashes() == set(hashes)
    for sha256, one in zip(hashes, data, strict=True):
        assert await store.get(sha256) == one


async def test_leftovers_of_a_crash(store: PictureStore, tmp_path: Path) -> None:
    """A half-written file of a process that died is cleared away at the next start, and was never a picture."""
    part = tmp_path / "pictures" / "incoming" / "abc.part"
    part.write_bytes(b"hal")
    assert await store.hashes() == frozenset()
    store.prepare()
    assert not part.exists()


async def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    """Where the folder cannot be made, the operator is told so in a sentence."""
    (tmp_path / "pictures").write_text("a file")
    with pytest.raises(DatabaseUnavailable, match="is not a folder"):
        PictureStore(tmp_path / "pictures").prepare()


async def test_a_file_in_the_way(store: PictureStore, tmp_path: Path) -> None:
    """A write that the disk refuses is a sentence, and leaves nothing half done."""
    sha256 = hashlib.sha256(b"fox").hexdigest()
    (tmp_path / "pictures" / sha256[:2]).write_text("in the way")
    with pytest.raises(DatabaseUnavailable):
        await store.put(b"fox")
    assert list((tmp_path / "pictures" / "incoming").iterdir()) == []
