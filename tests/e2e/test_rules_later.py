"""Rules that change between asking and showing: what was agreed to earlier is held against them again."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from bot.discord_ui.actions import Action
from bot.sandbox.driver import Json, Person
from bot.sandbox.server import Loopback
from bot.settings import ModerationSettings, Settings
from inference.client.gates import HeldGate
from storage.database import Database
from storage.guild_settings import GuildSettings, Quota
from tests.e2e.easel import (
    Studio,
    button_of,
    parts_of,
    pictures_of,
    result_in,
    results_in,
    settings_in,
    studio_at,
    words_of,
)

DARK = "#after-dark"
"""The default server's age-restricted channel."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An operator who allows pictures for adults where servers do, but not in direct messages."""
    return settings_in(tmp_path, count=1).model_copy(update={"moderation": ModerationSettings(nsfw=True)})


@pytest.fixture
async def studio(discord_here: None, loopback: Loopback, settings: Settings, gate: HeldGate) -> AsyncIterator[Studio]:
    """A studio whose painter stands still until the gate lets it go."""
    async with studio_at(settings, token=loopback.token, gate=gate) as running:
        yield running


async def choose(studio: Studio, person: Person, **chosen: object) -> None:
    """What the server chooses from now on, as if by /admin."""
    db: Database = studio.easel.desk.db
    guild = int(person.world.channel(person.channel("#paint")).guild_id or 0)
    before: GuildSettings = await db.guilds.settings(guild)
    await db.guilds.set(guild, msgspec.structs.replace(before, **chosen))
    studio.easel.desk.policies.forget()


def is_grid(message: Json) -> bool:
    """Whether a card shows what came of a series."""
    return any(part.get("custom_id", "").startswith("easel:sdel:") for part in parts_of(message))


async def test_a_channel_that_is_not_for_adults_any_more(
    studio: Studio, loopback: Loopback, gate: HeldGate, ada: Person, ben: Person
) -> None:
    """A picture that was asked for while it was is shown nowhere else either; words say where it can be seen."""
    await choose(studio, ada, nsfw="restricted")
    waiting = await (await ben.slash("imagine", DARK, prompt="nude woman")).answered()
    await gate.reached(1)
    loopback.world.change_channel(ada.channel(DARK), nsfw=False)
    gate.open()
    told = await ben.wait_for_message(DARK, lambda m: "no place for them any more" in words_of(m))
    assert f"<@{ben.id}>" in words_of(told)
    assert not results_in(ben, DARK)
    assert not ben.messages(ben.open_dm())
    await ben.until(lambda: ben.message(waiting) is None)
    job = await studio.easel.desk.db.jobs.get(1)
    assert job is not None
    assert job.state == "delivered"


async def test_letters_keep_to_the_rules(
    studio: Studio, loopback: Loopback, gate: HeldGate, ada: Person, ben: Person
) -> None:
    """✉️ under a picture for adults sends no picture where the operator allows none in direct messages, and says so."""
    gate.open()
    await choose(studio, ada, nsfw="restricted")
    await (await ben.slash("imagine", DARK, prompt="nude woman")).answered()
    card = await result_in(ben, DARK)
    ada.react(card, "✉️")
    told = await ada.wait_for_message(ada.open_dm())
    assert "not sent in direct messages" in words_of(told)
    assert not pictures_of(told)


async def test_cells_are_held_against_a_new_block_list(studio: Studio, gate: HeldGate, ada: Person) -> None:
    """What a plot has not begun yet when a word is put on the list stays blank, with the reason; the rest is painted."""
    question = await (
        await ada.slash("plot", "#paint", prompt="a spider", x_axis="Prompt S/R", x_values=", ".join(SPIDERS))
    ).answered()
    await ada.click(question, button_of(question, Action.SERIES_GO))
    await gate.reached(1)
    await choose(studio, ada, refused=("spider 13",))
    gate.open()
    done = await ada.wait_for_message("#paint", is_grid, timeout=60)
    words = words_of(done).replace("\\", "")
    assert "on the list of what is not painted here" in words
    assert "spider 13" in words
    series = await studio.easel.desk.db.series.cells(1)
    assert [cell.ordinal for cell in series if cell.reason] == [SPIDERS.index("spider 13")]


SPIDERS = ["spider", *(f"spider {number}" for number in range(2, 15))]


async def test_a_series_keeps_to_its_quota_after_a_restart(
    discord_here: None, loopback: Loopback, settings: Settings, gate: HeldGate, ada: Person
) -> None:
    """Cells that begin after a restart count on the quota of a role that their asker had when they agreed."""
    role = loopback.world.channel(ada.channel("#paint")).guild_id or "0"  # @everyone has the server's id
    async with studio_at(settings, token=loopback.token, gate=gate) as studio:
        await choose(studio, ada, quotas=(Quota(who="role", id=int(role), seconds=0.0, per="hour"),))
        question = await (
            await ada.slash("plot", "#paint", prompt="an apple", x_axis="Seed", x_values="1-14")
        ).answered()
        await ada.click(question, button_of(question, Action.SERIES_GO))
        await gate.reached(1)
    async with studio_at(settings, token=loopback.token) as studio:
        await ada.wait_for_message("#paint", is_grid, timeout=60)
        jobs = await studio.easel.desk.db.jobs.recent_of(int(ada.id), limit=50)
        assert len(jobs) == 14
        assert all(job.slow for job in jobs)
