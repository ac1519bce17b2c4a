"""Collections, showcases, history that is not kept, and what an update makes of old rows."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from inference.api.enlarging import UpscaleRequest
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from storage.database import FILE, Database
from storage.errors import Missing, WrongState
from storage.gallery_values import Query
from storage.history import UNKEPT
from storage.rows import to_json
from storage.schema import upgrade

Ask = Callable[..., Awaitable]
Paint = Callable[..., Awaitable]


async def test_a_collection_is_its_makers(database: Database, paint: Paint) -> None:
    """Names are one in any case; renaming to a taken one is refused; another's collection is gone for everybody else."""
    (image,) = await paint(b"one")
    foxes, new = await database.collections.create(3, "Red Foxes", now=1.0)
    again, newer = await database.collections.create(3, "red  foxes", now=2.0)
    assert (again.id, again.name, new, newer) == (foxes.id, "Red Foxes", True, False)
    others, _ = await database.collections.create(3, "others", now=1.0)
    assert not await database.collections.rename(3, others.id, "RED foxes")
    assert await database.collections.rename(3, others.id, "OTHERS")
    assert await database.collections.toggle(3, foxes.id, image.id, now=1.0)
    assert [(each.name, each.size, each.holds) for each in await database.collections.of(3, image=image.id)] == [
        ("OTHERS", 0, False),
        ("Red Foxes", 1, True),
    ]
    for act in (
        database.collections.get(4, foxes.id),
        database.collections.delete(4, foxes.id),
        database.collections.rename(4, foxes.id, "mine"),
        database.collections.toggle(4, foxes.id, image.id, now=1.0),
        database.collections.toggle(3, foxes.id, 999, now=1.0),
    ):
        with pytest.raises(Missing):
            await act
    await database.images.remove(image.id)
    assert (await database.collections.get(3, foxes.id)).size == 0
    await database.collections.delete(3, foxes.id)
    assert [each.id for each in await database.collections.of(3)] == [others.id]
    await database.people.forget(3)
    assert await database.collections.of(3) == ()


async def test_a_showcase_is_earned_once(database: Database, paint: Paint) -> None:
    """Stars of others count; at the threshold the picture has one place, whatever stars do then, and loses it with its row."""
    (image,) = await paint(b"one", message=77)

    async def earn() -> bool:
        return await database.showcase.earn(image.id, guild=2, channel=9, threshold=2, now=5.0) is not None

    await database.images.star(3, image.id, 1.0)
    await database.images.star(4, image.id, 1.0)
    assert not await earn()
    await database.images.star(5, image.id, 1.0)
    assert await earn()
    assert not await earn()
    (pending,) = await database.showcase.pending()
    assert (pending.image, pending.channel, pending.tried) == (image.id, 9, None)
    await database.showcase.begin(image.id, now=6.0)
    await database.showcase.begin(image.id, now=7.0)
    await database.images.unstar(5, image.id)
    await database.showcase.sent(image.id, 88)
    shown = await database.showcase.get(image.id)
    assert shown is not None
    assert (shown.state, shown.message, shown.tried) == ("sent", 88, 6.0)
    assert await database.showcase.pending() == ()
    await database.images.remove(image.id)
    assert await database.showcase.get(image.id) is None
    await database.showcase.sent(image.id, 88)


async def test_what_was_not_shown_there_earns_nothing(database: Database, paint: Paint) -> None:
    """A picture of another server, one that was not shown yet, and one that was shown elsewhere have no place."""
    (hidden,), (elsewhere,) = await paint(b"one"), await paint(b"two")
    await database.jobs.deliver(elsewhere.job, message=78, channel=5, now=1.0)
    (shown,) = await paint(b"three", message=79)
    for image, guild in ((hidden, 2), (elsewhere, 2), (shown, 7)):
        await database.images.star(4, image.id, 1.0)
        assert await database.showcase.earn(image.id, guild=guild, channel=9, threshold=1, now=1.0) is None


async def test_history_is_let_go_with_the_delivery(database: Database, paint: Paint, folder: Path) -> None:
    """Nothing of a shown picture stays but its number and what it cost; a button can be told whose it was."""
    (kept,) = await paint(b"kept", message=76)
    await database.people.set(3, history=False)
    (image,) = await paint(b"shown", message=77)
    assert await database.images.get(image.id) is None
    assert await database.images.unkept_by(image.id) == 3
    assert await database.images.unkept_by(kept.id) is None
    assert not await database.pictures.has(image.sha256)
    job = await database.jobs.get(image.job)
    assert job is not None
    assert (job.kind, job.prompt, job.notes, job.seconds, job.rows) == (UNKEPT, "", (), 1.5, 40)
    assert (await database.people.usage(3, since=0.0)).pictures == 2
    assert (await database.gallery.page(3, Query())).total == 1
    with pytest.raises(WrongState):
        await database.jobs.deliver(image.job, message=77, channel=1, now=1.0)
    await database.people.forget(3)
    assert await database.images.unkept_by(image.id) is None


async def test_what_could_not_be_shown_is_kept_all_the_same(database: Database, ask: Ask, paint: Paint) -> None:
    """Where no message could carry it the gallery is the only place left; a failure without pictures leaves no words."""
    await database.people.set(3, history=False)
    (unshown,) = await paint(b"one")
    await database.jobs.deliver(unshown.job, message=0, channel=0, now=1.0)
    assert await database.images.get(unshown.id) is not None
    (refused,) = await paint(b"two")
    await database.jobs.fail(refused.job, reason="The channel is gone.", now=1.0)
    await database.jobs.mark_told(refused.job)
    assert await database.images.get(refused.id) is not None
    failed = await ask()
    await database.jobs.fail(failed.id, reason="Out of memory.", now=1.0)
    await database.jobs.mark_told(failed.id, message=5)
    job = await database.jobs.get(failed.id)
    assert job is not None
    assert (job.kind, job.prompt, job.reason) == (UNKEPT, "", "Out of memory.")


def _row(table: str, **columns: object) -> tuple[str, tuple[object, ...]]:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values())  # noqa: S608


async def test_old_pictures_are_found_like_new_ones(tmp_path: Path) -> None:
    """A database of the first version: its pictures are found by words, model and LoRA, and know what they came from."""
    upgrade(tmp_path / FILE, "0001")
    painting = GenerationRequest(
        prompt=Prompt("A Fox <lora:Ink:0.8>"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("painter")
    )
    larger = UpscaleRequest(picture="0" * 64, upscaler="lanczos")
    job = {
        "state": "delivered", "told": 1, "created": 5.0, "person": 1, "guild": 10, "channel": 20, "private": 0,
        "interaction_token": "", "application": 0, "token_until": 0.0, "card_message": 0, "kind": "imagine",
        "prompt": "fox", "request": to_json(painting), "attempts": 1, "cost": 1.5, "reason": "", "notes": "[]",
        "seconds": 1.0, "rows": 1, "pictures": 1,
    }  # fmt: skip
    image = {
        "person": 1, "guild": 10, "channel": 20, "sha256": "0" * 64, "width": 64, "height": 64, "seed": 1, "infotext": "",
        "prompt": "fox", "model": "painter", "created": 5.0, "message": 7, "message_channel": 20, "bytes": 1,
    }  # fmt: skip
    rows = [
        _row("jobs", id=1, **job),
        _row("images", id=1, job=1, index=0, request=to_json(painting), kind="imagine", **image),
        _row("images", id=2, job=1, index=1, request=to_json(larger), kind="upscale", parent=1, **image),
        _row("images", id=3, job=1, index=2, request="broken", kind="vary", **{**image, "prompt": "ein Fuchs"}),
        ("INSERT INTO favourites VALUES (2, 1, 1.0)", ()),
    ]
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        for statement, values in rows:
            connection.execute(statement, values)
    database = await Database.open(tmp_path)
    try:
        page = await database.gallery.page(1, Query(words="fo", model="PAINTER", lora="ink"))
        assert [image.id for image in page.images] == [1]
        assert [image.id for image in (await database.gallery.page(1, Query(words="fox"))).images] == [2, 1]
        assert (await database.gallery.page(1, Query(words="fuchs"))).total == 1
        assert (await database.gallery.page(2, Query(words="fox", starred=True))).total == 1
        (first, second) = await database.images.of_message(7)
        assert (first.origin, second.origin, second.parent) == (None, 1, 1)
        assert (await database.people.get(1)).history
        await database.images.remove(1)
        assert [image.id for image in (await database.gallery.page(1, Query(words="fox"))).images] == [2]
    finally:
        await database.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        assert connection.execute("SELECT origin FROM images WHERE id = 3").fetchone() == (0,)
        connection.execute("INSERT INTO search(search) VALUES ('integrity-check')")
