"""Policies of servers are read once, by whoever asks first, and anew after every change."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.discord_ui.admin.policies import Policies
from bot.settings import Settings
from storage.database import Database
from storage.guild_settings import GuildSettings

GUILD = 7


@pytest.fixture
async def db(tmp_path: Path) -> AsyncGenerator[Database]:
    """A memory of its own."""
    database = await Database.open(tmp_path)
    yield database
    await database.close()


async def test_a_crowd_shares_one_reading(db: Database) -> None:
    """Fifty people who ask at once in a server that was never asked about get the very same policy."""
    policies = Policies(db, Settings(), now=lambda: 0.0)
    first, *others = await asyncio.gather(*(policies.of(GUILD) for _ in range(50)))
    assert all(each is first for each in others)


async def test_a_change_is_seen_by_whoever_asks_after_it(db: Database) -> None:
    """A reading that began before a change is neither kept nor shared with those who ask after it."""
    policies = Policies(db, Settings(), now=lambda: 0.0)
    early = asyncio.create_task(policies.of(GUILD))
    await asyncio.sleep(0)
    await db.guilds.set(GUILD, GuildSettings(refused=("spider",)))
    policies.forget()
    assert (await policies.of(GUILD)).own.refused == ("spider",)
    await early
    assert (await policies.of(GUILD)).own.refused == ("spider",)


async def test_who_gives_up_takes_nothing_from_the_others(db: Database) -> None:
    """When the one who began the reading is gone, those who wait for it are still told."""
    policies = Policies(db, Settings(), now=lambda: 0.0)
    impatient, patient = (asyncio.create_task(policies.of(GUILD)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).own == GuildSettings()
    assert impatient.cancelled() or impatient.done()
