"""Servers' choices."""

import sqlite3
from contextlib import closing
from pathlib import Path

from storage.database import FILE, Database
from storage.guild_settings import GuildSettings


async def test_settings(database: Database) -> None:
    """A server has the defaults until it chooses, and then what it chose last."""
    assert await database.guilds.settings(2) == GuildSettings()
    for chosen in (GuildSettings(refused=("spider",), report_channel=9), GuildSettings(star_threshold=5)):
        await database.guilds.set(2, chosen)
        assert await database.guilds.settings(2) == chosen
    assert await database.guilds.settings(3) == GuildSettings()


async def test_a_choice_of_another_easel(database: Database, folder: Path) -> None:
    """A choice that this Easel does not know is passed over."""
    await database.guilds.set(2, GuildSettings(report_channel=9))
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        connection.execute("""UPDATE guilds SET settings = '{"report_channel":9,"curfew":22}'""")
    assert await database.guilds.settings(2) == GuildSettings(report_channel=9)
