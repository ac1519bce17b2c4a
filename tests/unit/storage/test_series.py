"""Series of jobs: agreed to once, each cell painted once, and what they begin from kept as long as it is needed."""

import hashlib
from pathlib import Path

import pytest

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds, SourcePicture
from storage.database import Database
from storage.errors import Missing
from storage.series_values import CellRef, NewCell, Series, SeriesState
from storage.values import Address, JobState

ADDRESS = Address(channel=3, guild=4, person=7, interaction_token="t", application=9, token_until=900.0)
PICTURE = b"a picture"
SHA = hashlib.sha256(PICTURE).hexdigest()


def request(seed: int, *, source: str | None = None) -> GenerationRequest:
    """A request that differs from others by its seed."""
    return GenerationRequest(
        prompt=Prompt("an apple"),
        canvas=Canvas(64, 64),
        seeds=Seeds(seed),
        model=ModelRef("m"),
        source=None if source is None else SourcePicture(source),
    )


async def a_series(db: Database, *, cells: int = 3, keep: int = 5, source: str | None = None) -> Series:
    """A series that waits for a yes."""
    new = [
        NewCell(request=request(seed, source=source), prompt="an apple", label=f"Seed: {seed}", cost=2.0)
        for seed in range(cells)
    ]
    return await db.series.add(
        address=ADDRESS,
        kind="plot",
        title="an apple",
        layout="{}",
        cells=new,
        parent=None,
        now=1.0,
        keep=keep,
        sources={} if source is None else {source: PICTURE},
    )


async def a_job(db: Database, cell: CellRef) -> int:
    """The job of `cell`."""
    made = await db.jobs.add(
        address=ADDRESS, request=request(0), kind="plot", prompt="", parent=None, cost=1.0, now=2.0, cell=cell
    )
    return made.id


async def test_a_series_is_kept_as_it_was_asked_for(tmp_path: Path) -> None:
    """What was asked for is there after a restart, cell by cell, and still waits for a yes."""
    db = await Database.open(tmp_path)
    asked = await a_series(db)
    await db.close()
    db = await Database.open(tmp_path)
    found = await db.series.get(asked.id)
    assert found == asked
    assert found is not None
    assert (found.state, found.cells, found.cost, found.address) == (SeriesState.ASKED, 3, 6.0, ADDRESS)
    assert await db.series.requests(asked.id) == tuple(request(seed) for seed in range(3))
    assert [cell.label for cell in await db.series.cells(asked.id)] == ["Seed: 0", "Seed: 1", "Seed: 2"]
    assert await db.series.unfinished() == ()
    await db.close()


async def test_a_yes_counts_once(database: Database) -> None:
    """Two yeses begin a series once; a no after a yes is none."""
    asked = await a_series(database)
    begun = await database.series.begin(asked.id, address=ADDRESS, now=5.0)
    assert begun is not None
    assert (begun.state, begun.begun) == (SeriesState.RUNNING, 5.0)
    assert await database.series.begin(asked.id, address=ADDRESS, now=6.0) is None
    assert not await database.series.drop(asked.id)
    assert await database.series.count_going(7) == 1
    assert [each.id for each in await database.series.unfinished()] == [asked.id]


async def test_a_cell_becomes_one_job(database: Database) -> None:
    """A cell becomes a job only while its series runs, and only once, however often it is tried."""
    asked = await a_series(database)
    first = CellRef(asked.id, 0)
    with pytest.raises(Missing):
        await a_job(database, first)
    await database.series.begin(asked.id, address=ADDRESS, now=5.0)
    job = await a_job(database, first)
    with pytest.raises(Missing):
        await a_job(database, first)
    found = await database.jobs.get(job)
    assert found is not None
    assert found.series == asked.id
    assert [each.ref.ordinal for each in await database.series.waiting(asked.id)] == [1, 2]
    states = [cell.state for cell in await database.series.cells(asked.id)]
    assert states == [JobState.QUEUED, None, None]


async def test_what_is_stopped_begins_nothing(database: Database) -> None:
    """A series that was stopped takes no further cell, and is still owed an end."""
    asked = await a_series(database)
    await database.series.begin(asked.id, address=ADDRESS, now=5.0)
    stopped = await database.series.stop(asked.id)
    assert stopped is not None
    assert stopped.state is SeriesState.STOPPED
    assert await database.series.stop(asked.id) is None
    with pytest.raises(Missing):
        await a_job(database, CellRef(asked.id, 0))
    assert [each.id for each in await database.series.unfinished()] == [asked.id]


async def test_a_cell_that_cannot_be_a_job_has_failed(database: Database) -> None:
    """A cell that was refused says why, has ended, and is not tried again."""
    asked = await a_series(database)
    await database.series.begin(asked.id, address=ADDRESS, now=5.0)
    await database.series.refuse(CellRef(asked.id, 1), "The model is gone.")
    cell = (await database.series.cells(asked.id))[1]
    assert (cell.state, cell.reason, cell.ended) == (JobState.FAILED, "The model is gone.", True)
    assert [each.ref.ordinal for each in await database.series.waiting(asked.id)] == [0, 2]


async def test_pictures_stay_while_they_are_needed(database: Database) -> None:
    """What a series begins from stays until it is done or refused, and goes then."""
    asked = await a_series(database, source=SHA)
    assert await database.pictures.has(SHA)
    assert await database.series.drop(asked.id)
    assert not await database.pictures.has(SHA)
    again = await a_series(database, source=SHA)
    await database.series.begin(again.id, address=ADDRESS, now=5.0)
    await database.series.finish(again.id, message=11, channel=12, now=6.0)
    assert not await database.pictures.has(SHA)
    done = await database.series.get(again.id)
    assert done is not None
    assert (done.state, done.result_message, done.card_channel) == (SeriesState.DONE, 11, 12)
    with pytest.raises(ValueError, match="sha256"):
        await a_series(database, source="0" * 64)


async def test_only_the_newest_questions_wait(database: Database) -> None:
    """Somebody who asks and never answers fills no disk: of their questions only the newest stay."""
    asked = [(await a_series(database, keep=2)).id for _ in range(5)]
    assert [await database.series.get(each) is not None for each in asked] == [False, False, True, True, True]


async def test_forgetting_somebody_forgets_their_series(database: Database) -> None:
    """Who is forgotten leaves no series, no cell and no source behind."""
    asked = await a_series(database, source=SHA)
    await database.series.begin(asked.id, address=ADDRESS, now=5.0)
    await database.people.forget(7)
    assert await database.series.get(asked.id) is None
    assert await database.series.cells(asked.id) == ()
    assert not await database.pictures.has(SHA)
