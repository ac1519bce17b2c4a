"""The tables of series, on the same sheet as all others: `storage.tables` holds the rest and the list of revisions."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from storage.tables import Real, metadata

series: Final = Table(
    "series",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("created", Real(), nullable=False),
    Column("begun", Real()),
    Column("finished", Real()),
    Column("person", BigInteger, nullable=False),
    Column("guild", BigInteger),
    Column("channel", BigInteger, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("interaction_token", Text, nullable=False),
    Column("application", BigInteger, nullable=False),
    Column("token_until", Real(), nullable=False),
    Column("card_message", BigInteger, nullable=False),
    Column("card_channel", BigInteger, nullable=False),
    Column("result_message", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("title", Text, nullable=False),
    Column("layout", Text, nullable=False),
    Column("cells", Integer, nullable=False),
    Column("cost", Real(), nullable=False),
    Column("parent", Integer),
    Column("roles", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
Index("ix_series_open", series.c.id, sqlite_where=text("state IN ('asked', 'running', 'stopped')"))
Index("ix_series_person", series.c.person)

series_cells: Final = Table(
    "series_cells",
    metadata,
    Column("series", Integer, ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("label", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("cost", Real(), nullable=False),
    Column("job", Integer),
    Column("reason", Text, nullable=False),
)
"""`job` is no foreign key: a cell whose job was deleted has been painted all the same, and is not painted again.

`reason` is why a cell could not become a job.
"""

series_sources: Final = Table(
    "series_sources",
    metadata,
    Column("series", Integer, ForeignKey("series.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
)
Index("ix_series_sources_sha256", series_sources.c.sha256)
