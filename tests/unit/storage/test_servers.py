"""What servers choose, whom they block, what they log, what is reported, and what is counted."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace as with_

from bot.errors import LimitReached
from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Seeds
from storage.database import Database
from storage.guild_settings import Allowance, GuildSettings, Quota, Rule
from storage.guilds import Deed
from storage.values import Address, Job
from tests.unit.storage.conftest import Paint

NOW = 1_700_000_000.0


def deed(words: str, by: int = 1) -> Deed:
    """A line of a log."""
    return Deed(by=by, now=NOW, action="words", words=words)


async def add_job(
    database: Database,
    *,
    person: int = 1,
    guild: int = 7,
    now: float = NOW,
    cost: float = 1.0,
    allowance: Allowance | None = None,
) -> Job:
    """Somebody asks for a picture."""
    request = GenerationRequest(prompt=Prompt("x"), canvas=Canvas(64, 64), seeds=Seeds(1), model=ModelRef("painter"))
    return await database.jobs.add(
        address=Address(channel=20, guild=guild, person=person),
        request=request,
        kind="imagine",
        prompt="x",
        parent=None,
        cost=cost,
        now=now,
        allowance=allowance,
    )


async def test_changes_at_once_are_all_kept(database: Database) -> None:
    """Many who change different things at the same moment overwrite nothing of each other, and each has its line."""

    def adding(word: str):
        return lambda own: with_(own, refused=(*own.refused, word))

    words = [f"word{number}" for number in range(40)]
    await asyncio.gather(*(database.guilds.change(7, adding(word), deed(word)) for word in words))
    settings = await database.guilds.settings(7)
    assert sorted(settings.refused) == sorted(words)
    assert (await database.guilds.log(7)).total == 40
    assert (await database.guilds.settings(8)) == GuildSettings()


async def test_a_change_that_is_refused_changes_nothing(database: Database) -> None:
    """What the change raises comes back, the settings and the log stay, and others in the same commit are not hurt."""

    def refuse(own: GuildSettings) -> GuildSettings:
        raise LimitReached("full")

    refused, kept = await asyncio.gather(
        database.guilds.change(7, refuse, deed("a")),
        database.guilds.change(7, lambda own: with_(own, star_threshold=9), deed("b")),
        return_exceptions=True,
    )
    assert isinstance(refused, LimitReached)
    assert isinstance(kept, GuildSettings)
    assert [entry.words for entry in (await database.guilds.log(7)).entries] == ["b"]


async def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    """Rules, quotas and everything else outlive the process."""
    chosen = GuildSettings(
        models=(Rule(name="a", hash="b", channels=(1,), roles=(2,), adult=True),),
        quotas=(Quota(who="role", id=3, seconds=None, per="hour"),),
        closed="paused",
        nsfw="chosen",
        nsfw_channels=(4,),
    )
    first = await Database.open(tmp_path)
    await first.guilds.set(7, chosen)
    await first.guilds.set(8, GuildSettings(star_threshold=1))
    await first.close()
    again = await Database.open(tmp_path)
    try:
        assert await again.guilds.settings(7) == chosen
        assert await again.guilds.closed() == ((7, chosen),)
    finally:
        await again.close()


async def test_blocks_end_by_themselves(database: Database) -> None:
    """One with an end is over then; one for good stays; a new one takes the place of the old; lifting is logged once."""
    guilds = database.guilds
    await guilds.block(7, 1, until=NOW + 10, deed=deed("one"))
    await guilds.block(7, 2, until=None, deed=deed("two"))
    assert {block.person for block in await guilds.blocks(7, now=NOW)} == {1, 2}
    assert {block.person for block in await guilds.blocks(7, now=NOW + 10)} == {2}
    await guilds.block(7, 1, until=None, deed=deed("three"))
    assert {block.person for block in await guilds.blocks(7, now=NOW + 10)} == {1, 2}
    assert await guilds.blocks(8, now=NOW) == ()
    assert await guilds.unblock(7, 1, deed=deed("four"))
    assert not await guilds.unblock(7, 1, deed=deed("five"))
    assert [entry.words for entry in (await guilds.log(7)).entries] == ["four", "three", "two", "one"]


async def test_a_log_is_read_by_pages(database: Database) -> None:
    """Newest first; a server sees its own lines only."""
    for number in range(25):
        await database.guilds.note(7, deed(f"line {number}"))
    await database.guilds.note(8, deed("other"))
    page = await database.guilds.log(7, offset=20, limit=10)
    assert page.total == 25
    assert [entry.words for entry in page.entries] == [f"line {number}" for number in (4, 3, 2, 1, 0)]


async def test_a_report_is_decided_once_and_outlives_its_picture(database: Database, paint: Paint) -> None:
    """The same person's second report while the first is open is the first; a picture's end leaves the report."""
    image = (await paint(b"a picture"))[0]
    report, new = await database.reports.add(image, guild=7, reporter=5, reason="r", place=(1, 2), now=NOW)
    same, again = await database.reports.add(image, guild=7, reporter=5, reason="s", place=(1, 2), now=NOW)
    assert (new, again, same) == (True, False, report)
    other, _ = await database.reports.add(image, guild=7, reporter=6, reason="r", place=(1, 2), now=NOW)
    assert await database.reports.count_open(7) == 2
    decisions = await asyncio.gather(
        *(database.reports.decide(report.id, state="removed", moderator=number) for number in (1, 2, 3))
    )
    assert sorted(decisions) == [False, False, True]
    await database.images.remove(image.id)
    kept = await database.reports.get(other.id)
    assert kept is not None
    assert (kept.state, kept.painter, kept.image) == ("open", image.person, image.id)
    assert await database.reports.get(99) is None


async def test_figures_count_what_was_done(database: Database) -> None:
    """Pictures, seconds, people, failures and the median wait of a server since a moment; failures cost nothing."""
    waits = (1.0, 3.0, 10.0)
    for person, wait in enumerate(waits, 1):
        job = await add_job(database, person=person, guild=7, now=NOW)
        await database.jobs.start(job.id, now=NOW + wait)
        await database.jobs.requeue(job.id)
        await database.jobs.start(job.id, now=NOW + 500)
    await database.jobs.fail(job.id, reason="x", now=NOW)
    await add_job(database, person=4, guild=8, now=NOW)
    await add_job(database, person=4, guild=7, now=NOW - 100)
    found = await database.figures.of(7, since=NOW - 1)
    assert (found.jobs, found.people, found.failed, found.wait) == (3, 3, 1, 3.0)
    assert (await database.figures.of(None, since=NOW - 1)).jobs == 4
    assert (await database.figures.of(9, since=0.0)).wait is None


@pytest.mark.parametrize("ending", ["cancelled", "failed"])
async def test_what_came_to_nothing_is_given_back(database: Database, ending: str) -> None:
    """A job that failed or was cancelled leaves the allowance as it was; the slow lane uses nothing of it."""
    allowance = Allowance(guild=7, seconds=2.0, since=NOW - 60, words="used up")
    first = await add_job(database, guild=7, cost=1.5, now=NOW, allowance=allowance)
    second = await add_job(database, guild=7, cost=1.5, now=NOW, allowance=allowance)
    elsewhere = await add_job(database, guild=8, cost=1.5, now=NOW, allowance=with_(allowance, guild=8))
    assert [job.slow for job in (first, second, elsewhere)] == ["", "used up", ""]
    assert await database.figures.spent(1, allowance) == 1.5
    if ending == "failed":
        await database.jobs.fail(first.id, reason="x", now=NOW)
    else:
        await database.jobs.cancel(first.id, now=NOW)
    assert await database.figures.spent(1, allowance) == 0.0
    assert (await add_job(database, guild=7, cost=1.5, now=NOW, allowance=allowance)).slow == ""
    assert await database.figures.spent(1, with_(allowance, since=NOW + 1)) == 0.0
