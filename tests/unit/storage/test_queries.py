"""What is asked often is answered from an index, however many rows there are."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from storage.database import FILE, Database
from storage.gallery_values import Order, Query

QUESTIONS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "unfinished": lambda db: db.jobs.unfinished(),
    "recent": lambda db: db.jobs.recent_of(3),
    "open": lambda db: db.jobs.count_open(person=3, guild=2),
    "sources": lambda db: db.jobs.sources(1),
    "found": lambda db: db.gallery.page(3, Query(words="fox red", model="painter", since=1.0, order=Order.STARS)),
    "found starred": lambda db: db.gallery.page(3, Query(starred=True, words="fox", lora="ink"), offset=90),
    "found collected": lambda db: db.gallery.page(3, Query(collection=1, style="ink", order=Order.OLDEST)),
    "kin": lambda db: db.gallery.kin(3),
    "children": lambda db: db.gallery.children(3),
    "names": lambda db: db.gallery.names(3, "lora", Query()),
    "starred names": lambda db: db.gallery.names(3, "lora", Query(starred=True)),
    "may open": lambda db: db.gallery.may_open(3, 1),
    "packed": lambda db: db.gallery.packed(3, Query(words="fox"), limit=100),
    "servers": lambda db: db.gallery.servers(3, limit=10),
    "collections": lambda db: db.collections.of(3, image=1),
    "showcase": lambda db: db.showcase.pending(),
    "in showcases": lambda db: db.showcase.posted((1, 2)),
    "somebody's in showcases": lambda db: db.showcase.posted_of(3),
    "stars that count": lambda db: db.showcase.stars(1),
    "unkept": lambda db: db.images.unkept_by(1),
    "posts of a job": lambda db: db.posts.of_job(1),
    "page": lambda db: db.gallery.page(3, Query(), offset=90),
    "starred page": lambda db: db.gallery.page(3, Query(starred=True), offset=90),
    "of a job": lambda db: db.images.of_job(1),
    "of a message": lambda db: db.images.of_message(5),
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
            scans = [line for line in plan if line.startswith("SCAN") and "INDEX" not in line]
            assert [line for line in scans if line != "SCAN CONSTANT ROW"] == [], plan
