"""Palettes: what was chosen stays chosen, and a file's sample is there as long as its job is."""

import msgspec
import pytest

from storage.database import Database
from storage.palettes import Look, Palette, Pick, Sample
from storage.values import JobState
from tests.unit.storage.conftest import Ask, Paint


async def test_a_palette_is_changed_in_one_act(database: Database) -> None:
    """Two who change different things of it at once both get what they chose; a change that is refused changes nothing."""
    assert await database.palettes.get(3) == Palette()
    await database.palettes.change(3, lambda old: msgspec.structs.replace(old, model="painter", hash="0123"))
    picks = (Pick("ink", 0.8), Pick("fur"))
    await database.palettes.change(3, lambda old: msgspec.structs.replace(old, picks=picks, loras=Look("cat", "sdxl")))

    def refuse(old: Palette) -> Palette:
        raise ValueError(old.model)

    with pytest.raises(ValueError, match="painter"):
        await database.palettes.change(3, refuse)
    kept = await database.palettes.get(3)
    assert kept == Palette(model="painter", hash="0123", picks=picks, loras=Look("cat", "sdxl"))
    assert await database.palettes.get(4) == Palette()
    await database.people.forget(3)
    assert await database.palettes.get(3) == Palette()


async def test_a_sample_is_its_jobs_first_picture(database: Database, ask: Ask, paint: Paint) -> None:
    """A sample is known as waited for, then by its picture; it goes with the picture, and another job takes its place."""
    waiting = await ask(3)
    await database.palettes.set_sample("a" * 64, waiting.id)
    images = await paint(b"one", b"two")
    await database.palettes.set_sample("b" * 64, images[0].job)
    assert await database.palettes.samples(["a" * 64, "b" * 64, "c" * 64]) == {
        "a" * 64: Sample(JobState.QUEUED),
        "b" * 64: Sample(JobState.RENDERED, images[0].id),
    }
    await database.palettes.set_sample("a" * 64, images[0].job)
    assert (await database.palettes.samples(["a" * 64]))["a" * 64].image == images[0].id
    await database.images.remove(images[0].id)
    await database.images.remove(images[1].id)
    assert all(not sample.image for sample in (await database.palettes.samples(["a" * 64, "b" * 64])).values())
    await database.people.forget(3)
    assert await database.palettes.samples(["a" * 64]) == {}
