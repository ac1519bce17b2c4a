"""The gallery: words, names, collections, searches, showcases, lineage that outlives a deletion, and history that is not kept."""

import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.words import kept_words, words_in

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DERIVED = ("again", "vary", "upscale", "edit")
"""Kinds that came of a picture, up to this revision."""


def upgrade() -> None:
    _columns()
    _names()
    _collections()
    _marks()
    _index()
    _fill()


def _columns() -> None:
    """At the end of the row: SQLite adds them without making the table anew."""
    op.add_column("people", sa.Column("history", sa.Boolean(), server_default=sa.text("1"), nullable=False))
    op.add_column("jobs", sa.Column("styles", sa.Text(), server_default="[]", nullable=False))
    for table in ("jobs", "images"):
        op.add_column(table, sa.Column("origin", sa.Integer()))
    op.add_column("images", sa.Column("words", sa.Text(), server_default="", nullable=False))


def _names() -> None:
    """What pictures can be found by besides words, and what people looked for."""
    op.create_table(
        "labels",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.id"], name="fk_labels_image", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "kind", "key", "image", name="pk_labels"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_labels_image", "labels", ["image", "kind", "key"])
    op.create_table(
        "searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_searches"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_searches_person_query", "searches", ["person", "query"], unique=True)


def _collections() -> None:
    """Sets of pictures under a name."""
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_collections_person_key", "collections", ["person", "key"], unique=True)
    op.create_table(
        "collected",
        sa.Column("collection", sa.Integer(), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.id"], name="fk_collected_collection", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["image"], ["images.id"], name="fk_collected_image", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("collection", "image", name="pk_collected"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_collected_image", "collected", ["image"])


def _marks() -> None:
    """Pictures in showcases, and those that were shown and not kept."""
    op.create_table(
        "showcase",
        sa.Column("image", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("guild", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tried", sa.Float()),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.id"], name="fk_showcase_image", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("image", name="pk_showcase"),
    )
    op.create_index("ix_showcase_pending", "showcase", ["image"], sqlite_where=sa.text("state = 'pending'"))
    op.create_table(
        "unkept",
        sa.Column("image", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("image", name="pk_unkept"),
    )
    op.create_index("ix_unkept_person", "unkept", ["person"])


def _index() -> None:
    """The index of words keeps itself: what makes or removes a picture does the same in it."""
    op.execute(
        "CREATE VIRTUAL TABLE search USING fts5"
        "(words, content='', detail='none', columnsize=0, tokenize=\"ascii tokenchars '_'\")"
    )
    op.execute(
        "CREATE TRIGGER images_found AFTER INSERT ON images WHEN new.words != '' BEGIN "
        "INSERT INTO search(rowid, words) VALUES (new.id, replace(new.words, ' ', ' ' || new.person || '_')); END"
    )
    op.execute(
        "CREATE TRIGGER images_lost AFTER DELETE ON images WHEN old.words != '' BEGIN "
        "INSERT INTO search(search, rowid, words) "
        "VALUES ('delete', old.id, replace(old.words, ' ', ' ' || old.person || '_')); END"
    )


def _fill() -> None:
    """Pictures of earlier revisions are found like new ones. A request that does not decode leaves what was typed."""
    connection = op.get_bind()
    derived = ", ".join(f"'{kind}'" for kind in DERIVED)
    for table in ("jobs", "images"):
        op.execute(f"UPDATE {table} SET origin = parent WHERE parent IS NOT NULL")  # noqa: S608
        # 0 is no picture's number: it came of one that is gone
        op.execute(f"UPDATE {table} SET origin = 0 WHERE parent IS NULL AND kind IN ({derived})")  # noqa: S608
    rows = connection.exec_driver_sql("SELECT id, person, prompt, request, model FROM images").fetchall()
    words: list[tuple[str, int]] = []
    labels: list[tuple[int, str, str, int, str]] = []
    for image, person, prompt, request, model in rows:
        painted = _painted(request)
        words.append((kept_words(words_in(_without_tags(prompt if painted is None else painted))), image))
        names = [("lora", name) for name in _loras(painted or "")] + ([("model", model)] if painted is not None else [])
        labels += [
            (person, kind, " ".join(name.split()).casefold(), image, name) for kind, name in names if name.strip()
        ]
    if words:
        connection.exec_driver_sql("UPDATE images SET words = ? WHERE id = ?", words)
    if labels:
        connection.exec_driver_sql("INSERT OR IGNORE INTO labels VALUES (?, ?, ?, ?, ?)", labels)
    op.execute(
        "INSERT INTO search(rowid, words) "
        "SELECT id, replace(words, ' ', ' ' || person || '_') FROM images WHERE words != ''"
    )


def _painted(request: str) -> str | None:
    """The words of a request that paints; None for an enlargement, or what is no request."""
    try:
        value: Any = json.loads(request)
        return str(value["prompt"]["positive"])
    except (ValueError, KeyError, TypeError):
        return None


def _without_tags(text: str) -> str:
    return re.sub(r"<[^<>]*>", " ", text)


def _loras(text: str) -> list[str]:
    return [name.strip() for name in re.findall(r"<(?:lora|lyco):([^:<>]+)", text) if name.strip()]
