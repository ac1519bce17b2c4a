"""Tables of the gallery: what pictures can be found by, collections, searches, and pictures in a server's showcase.

Owns their names, types and indexes, and the triggers that keep the index of words. Refuses to know the other tables' columns.
"""

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    column,
    event,
    table,
)

from storage.tables import Real, metadata

labels: Final = Table(
    "labels",
    metadata,
    Column("person", BigInteger, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("image", Integer, ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Names that a picture was painted with: `kind` is model, lora or style, `key` the name in lower case, `person` its owner."""
Index("ix_labels_image", labels.c.image, labels.c.kind, labels.c.key)

collections: Final = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", BigInteger, nullable=False),
    Column("key", String(128), nullable=False),
    Column("name", String(128), nullable=False),
    Column("created", Real(), nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_collections_person_key", collections.c.person, collections.c.key, unique=True)

collected: Final = Table(
    "collected",
    metadata,
    Column("collection", Integer, ForeignKey("collections.id", ondelete="CASCADE"), primary_key=True),
    Column("image", Integer, ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("created", Real(), nullable=False),
    sqlite_with_rowid=False,
)
"""What lies in a collection; the pictures may be other people's."""
Index("ix_collected_image", collected.c.image)

searches: Final = Table(
    "searches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", BigInteger, nullable=False),
    Column("query", Text, nullable=False),
    Column("used", Real(), nullable=False),
    sqlite_autoincrement=True,
)
"""What somebody looked for, as JSON: a button holds a hundred characters, and a search four thousand."""
Index("ix_searches_person_query", searches.c.person, searches.c.query, unique=True)

showcase: Final = Table(
    "showcase",
    metadata,
    Column("image", Integer, ForeignKey("images.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("guild", BigInteger, nullable=False),
    Column("channel", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tried", Real()),
    Column("message", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
)
"""Pictures that have earned a place in their server's showcase: written down before they are posted, and once each."""
Index("ix_showcase_pending", showcase.c.image, sqlite_where=showcase.c.state == "pending")

unkept: Final = Table(
    "unkept",
    metadata,
    Column("image", Integer, primary_key=True, autoincrement=False),
    Column("person", BigInteger, nullable=False),
)
"""Ids of pictures that were shown and not kept, since their owner keeps no history: so that their buttons can say so."""
Index("ix_unkept_person", unkept.c.person)

search: Final = table("search", column("rowid", Integer), column("search", Text))
"""The index of words (FTS5): a row a picture, each word led by its owner's id, so that nobody's search reads others' pictures."""

MADE: Final = (
    "CREATE VIRTUAL TABLE search USING fts5"
    "(words, content='', detail='none', columnsize=0, tokenize=\"ascii tokenchars '_'\")",
    "CREATE TRIGGER images_found AFTER INSERT ON images WHEN new.words != '' BEGIN "
    "INSERT INTO search(rowid, words) VALUES (new.id, replace(new.words, ' ', ' ' || new.person || '_')); END",
    "CREATE TRIGGER images_lost AFTER DELETE ON images WHEN old.words != '' BEGIN "
    "INSERT INTO search(search, rowid, words) "
    "VALUES ('delete', old.id, replace(old.words, ' ', ' ' || old.person || '_')); END",
)
"""Words are led by `person_`, and nobody changes the words or the owner of a picture."""
SHADOWS: Final = frozenset({"search", "search_config", "search_data", "search_idx"})
"""The tables behind the index, which SQLite makes by itself and SQLAlchemy does not know."""

for _sql in MADE:
    event.listen(metadata, "after_create", DDL(_sql.replace("%", "%%")))
