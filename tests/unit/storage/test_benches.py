"""Benches: what somebody is in the middle of is kept for a while, with its picture, and no longer."""

import asyncio
from pathlib import Path

import pytest

from storage.benches import EACH, KEPT, Benches
from storage.database import Database
from storage.errors import Missing
from storage.values import Bench


async def keep(benches: Benches, *, person: int = 3, now: float = 10.0, picture: bytes | None = None) -> Bench:
    """A bench with one word on it."""
    return await benches.add(person=person, kind="form", said={"prompt": "a fox"}, now=now, picture=picture)


def files(folder: Path) -> set[bytes]:
    """What the picture files say."""
    return {path.read_bytes() for path in folder.rglob("*.png")}


async def test_words_and_picture_come_back(database: Database) -> None:
    """What was put down is found under its id, the picture with it; another id is none."""
    bench = await keep(database.benches, picture=b"a picture")
    assert await database.benches.get(bench.id) == bench
    assert (bench.kind, bench.said) == ("form", {"prompt": "a fox"})
    assert await database.benches.data(bench.id) == b"a picture"
    assert await database.benches.get(bench.id + 1) is None
    for missing in (bench.id + 1, (await keep(database.benches)).id):
        with pytest.raises(Missing):
            await database.benches.data(missing)


async def test_marks_of_two_at_once_both_count(database: Database) -> None:
    """Each press puts its mark in or takes it out, however close they come."""
    bench = await keep(database.benches)
    await asyncio.gather(*(database.benches.toggle(bench.id, "regions", str(n)) for n in (5, 0, 8, 5)))
    found = await database.benches.get(bench.id)
    assert found is not None
    assert found.said["regions"] == "0,8"
    with pytest.raises(Missing):
        await database.benches.toggle(bench.id + 1, "regions", "1")


async def test_words_are_changed_one_by_one(database: Database) -> None:
    """What is said anew takes the place of what was said, an empty word is taken away, and the others stay."""
    bench = await keep(database.benches)
    said = {"prompt": "", "weight": "1", "kind": "canny"}
    assert (await database.benches.say(bench.id, said)).said == {"weight": "1", "kind": "canny"}
    await asyncio.gather(*(database.benches.say(bench.id, {str(n): "x"}) for n in range(5)))
    found = await database.benches.get(bench.id)
    assert found is not None
    assert set(found.said) == {"weight", "kind", *"01234"}
    with pytest.raises(Missing):
        await database.benches.say(bench.id + 1, {"prompt": "a fox"})


async def test_only_ones_own_are_put_away(database: Database, folder: Path) -> None:
    """Somebody else's bench stays, whoever names it."""
    mine, other = (
        await keep(database.benches, picture=b"mine"),
        await keep(database.benches, person=4, picture=b"other"),
    )
    await database.benches.remove([mine.id, other.id], person=3)
    assert await database.benches.get(mine.id) is None
    assert files(folder) == {b"other"}


async def test_what_is_old_goes_with_its_file(database: Database, folder: Path) -> None:
    """After a week a bench is gone, and so is a picture that nobody else needs."""
    old = await keep(database.benches, picture=b"old")
    await keep(database.benches, person=4, now=10.0 + KEPT, picture=b"new")
    assert await database.benches.get(old.id) is not None, "a week to the second"
    await keep(database.benches, person=4, now=10.5 + KEPT)
    assert await database.benches.get(old.id) is None
    assert files(folder) == {b"new"}


async def test_one_person_keeps_so_many(database: Database, folder: Path) -> None:
    """The oldest of a person's benches make room; another's stay."""
    first, other = await keep(database.benches, picture=b"first"), await keep(database.benches, person=4)
    for _ in range(EACH):
        await keep(database.benches)
    assert await database.benches.get(first.id) is None
    assert await database.benches.get(other.id) is not None
    assert files(folder) == set()


async def test_a_file_on_a_bench_is_needed(database: Database, folder: Path) -> None:
    """The same picture on two benches goes with the second."""
    await keep(database.benches, now=0.0, picture=b"shared")
    await keep(database.benches, person=4, now=KEPT, picture=b"shared")
    await keep(database.benches, person=4, now=KEPT + 1)
    assert files(folder) == {b"shared"}


async def test_forgetting_somebody_clears_their_benches(database: Database, folder: Path) -> None:
    """Words and pictures go; another's stay."""
    mine, other = (
        await keep(database.benches, picture=b"mine"),
        await keep(database.benches, person=4, picture=b"other"),
    )
    await database.people.forget(3)
    assert await database.benches.get(mine.id) is None
    assert await database.benches.get(other.id) == other
    assert files(folder) == {b"other"}
