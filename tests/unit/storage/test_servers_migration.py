"""A database of the first version, with a job in it, becomes one that knows servers' rules."""

import sqlite3
from contextlib import closing
from pathlib import Path

from inference.api.request import Canvas, GenerationRequest, ModelRef, Prompt, Sampling, Seeds
from storage.database import FILE, Database
from storage.guild_settings import GuildSettings
from storage.rows import to_json
from storage.schema import upgrade

REQUEST = GenerationRequest(
    prompt=Prompt("an apple"),
    canvas=Canvas(64, 64),
    seeds=Seeds(1),
    model=ModelRef("gradient"),
    sampling=Sampling(steps=4),
)


async def test_old_jobs_are_fast_and_never_began(tmp_path: Path) -> None:
    """A job that waited before the update waits after it, in the fast lane, and settings that were chosen still hold."""
    upgrade(tmp_path / FILE, "0001")
    columns = {
        "state": "queued", "told": 0, "created": 5.0, "person": 1, "guild": 10, "channel": 20, "private": 0,
        "interaction_token": "", "application": 0, "token_until": 0.0, "card_message": 0, "kind": "imagine",
        "prompt": "an apple", "request": to_json(REQUEST), "attempts": 0, "cost": 1.5, "reason": "", "notes": "[]",
        "seconds": 0.0, "rows": 0, "pictures": 0,
    }  # fmt: skip
    marks = ", ".join("?" * len(columns))
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute(f"INSERT INTO jobs ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608
        connection.execute(
            """INSERT INTO guilds VALUES (10, '{"model":"painter","gallery_channel":9,"star_threshold":7}')"""
        )
    database = await Database.open(tmp_path)
    try:
        (job,) = await database.jobs.unfinished()
        assert (job.slow, job.cost, job.address.guild) == ("", 1.5, 10)
        assert await database.guilds.settings(10) == GuildSettings(star_threshold=7)
        assert (await database.figures.of(10, since=0.0)).wait is None
    finally:
        await database.close()
