"""What is asked often is answered from an index, however many rows there are."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from storage.database import FILE, Database

QUESTIONS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "unfinished": lambda db: db.jobs.unfinished(),
    "by card": lambda db: db.jobs.by_card(5),
    "recent": lambda db: db.jobs.recent_of(3),
    "open": lambda db: db.jobs.count_open(person=3, guild=2),
    "sources": lambda db: db.jobs.sources(1),
    "pending": lambda db: db.posts.pending(),
    "posts of a job": lambda db: db.posts.of_job(1),
    "page": lambda db: db.images.page(3, offset=90),
    "starred page": lambda db: db.images.page(3, starred=True, offset=90),
    "of a job": lambda db: db.images.of_job(1),
    "of a message": lambda db: db.images.of_message(5),
    "starred": lambda db: db.images.is_starred(3, 1),
    "usage": lambda db: db.people.usage(3, since=0.0),
    "style": lambda db: db.styles.find(3, 2, "ink"),
    "seed": lambda db: db.seeds.find(3, "fox"),
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_no_question_reads_a_whole_table(database: Database, folder: Path, question: str) -> None:
    """SQLite's own plan for each question searches by an index and scans no table."""
    asked: list[tuple[str, Any]] = []

    def remember(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(database._connections._reader.sync_engine, "before_cursor_execute", remember)
    await QUESTIONS[question](database)
    selects = [(statement, parameters) for statement, parameters in asked if statement.startswith("SELECT")]
    assert selects
    with closing(sqlite3.connect(folder / FILE)) as connection:
        for statement, parameters in selects:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            scans = [line for line in plan if line.startswith("SCAN") and "USING INDEX" not in line]
            assert [line for line in scans if line != "SCAN CONSTANT ROW"] == [], plan
