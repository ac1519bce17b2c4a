"""The tables as they are at the newest revision; `storage/migrations` is how a file gets there.

Owns names, types and indexes. A test compares them with what the migrations make. Discord's ids are BigInteger and not foreign
keys: Discord owns its people and servers; a row of ours appears only when one of them has chosen something.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every revision that this Easel knows, oldest first. A file at the newest opens without loading Alembic."""


class Real(TypeDecorator[float]):
    """A float that is one however it is read: SQLite's RETURNING gives 5.0 as the integer 5."""

    impl = Float
    cache_ok = True

    def process_result_value(self, value: float | None, dialect: Dialect) -> float | None:
        """The value as Python's float."""
        del dialect
        return None if value is None else float(value)


metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# autoincrement wherever an id leaves the house (buttons, nonces): a deleted row's id must never mean another one later

people: Final = Table(
    "people",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("remember", Boolean, nullable=False),
    Column("dm", Boolean, nullable=False),
    Column("history", Boolean, nullable=False, server_default=text("1")),
)

guilds: Final = Table(
    "guilds",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("settings", Text, nullable=False),
)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("told", Boolean, nullable=False),
    Column("created", Real(), nullable=False),
    Column("finished", Real()),
    Column("person", BigInteger, nullable=False),
    Column("guild", BigInteger),
    Column("channel", BigInteger, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("interaction_token", Text, nullable=False),
    Column("application", BigInteger, nullable=False),
    Column("token_until", Real(), nullable=False),
    Column("card_message", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("prompt", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("parent", Integer, ForeignKey("images.id", ondelete="SET NULL", use_alter=True)),
    Column("attempts", Integer, nullable=False),
    Column("cost", Real(), nullable=False),
    Column("reason", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("seconds", Real(), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("pictures", Integer, nullable=False),
    Column("slow", Text, nullable=False, server_default=""),
    Column("started", Real()),
    Column("series", Integer),
    Column("styles", Text, nullable=False, server_default="[]"),
    Column("origin", Integer),
    sqlite_autoincrement=True,
)
Index("ix_jobs_untold", jobs.c.id, sqlite_where=text("told = 0"))
Index("ix_jobs_card_message", jobs.c.card_message, sqlite_where=text("card_message != 0"))
Index("ix_jobs_person_created", jobs.c.person, jobs.c.created, jobs.c.pictures, jobs.c.seconds)  # usage, from it alone
Index("ix_jobs_guild_created", jobs.c.guild, jobs.c.created, sqlite_where=text("guild IS NOT NULL"))  # statistics
Index("ix_jobs_parent", jobs.c.parent, sqlite_where=text("parent IS NOT NULL"))

job_sources: Final = Table(
    "job_sources",
    metadata,
    Column("job", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("unit", Integer),
)
"""What a job begins from; with a `unit` (a control's number, from 0) the map that its control followed, made by the painter."""
Index("ix_job_sources_sha256", job_sources.c.sha256)

images: Final = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("guild", BigInteger),
    Column("channel", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("infotext", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("parent", Integer, ForeignKey("images.id", ondelete="SET NULL")),
    Column("kind", String(32), nullable=False),
    Column("created", Real(), nullable=False),
    Column("message", BigInteger, nullable=False),
    Column("message_channel", BigInteger, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("origin", Integer),
    Column("words", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""`origin` is what `parent` was and stays when that is gone (0: unknown); `words` are what it is found by (`storage.words`)."""
Index("ix_images_job_index", images.c.job, images.c.index, unique=True)
Index("ix_images_person", images.c.person, images.c.id)
Index("ix_images_message", images.c.message, sqlite_where=text("message != 0"))
Index("ix_images_sha256", images.c.sha256)
Index("ix_images_parent", images.c.parent, sqlite_where=text("parent IS NOT NULL"))

favourites: Final = Table(
    "favourites",
    metadata,
    Column("person", BigInteger, primary_key=True),
    Column("image", Integer, ForeignKey("images.id", ondelete="CASCADE"), primary_key=True),
    Column("created", Real(), nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_favourites_image", favourites.c.image)

posts: Final = Table(
    "posts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("channel", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("nonce", String(25), nullable=False, unique=True),
    Column("tried", Real()),
    Column("message", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_posts_job_ordinal", posts.c.job, posts.c.ordinal, unique=True)
Index("ix_posts_pending", posts.c.id, sqlite_where=text("state = 'pending'"))

styles: Final = Table(
    "styles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", BigInteger, nullable=False),
    Column("guild", BigInteger),
    Column("key", String(128), nullable=False),
    Column("name", String(128), nullable=False),
    Column("prompt", Text, nullable=False),
    Column("negative", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("newest", Boolean, nullable=False),
    Column("created", Real(), nullable=False),
    Column("settings", Text, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)
Index("ix_styles_owner_key_version", styles.c.owner, styles.c.key, styles.c.version, unique=True)
Index("ix_styles_guild", styles.c.guild, sqlite_where=text("guild IS NOT NULL"))

seeds: Final = Table(
    "seeds",
    metadata,
    Column("person", BigInteger, primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
    sqlite_with_rowid=False,
)

palettes: Final = Table(
    "palettes",
    metadata,
    Column("person", BigInteger, primary_key=True),
    Column("chosen", Text, nullable=False),
)
"""What people have chosen in the pickers, one JSON a person."""

samples: Final = Table(
    "samples",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("job", Integer, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    sqlite_with_rowid=False,
)
"""The job that painted what a model or LoRA does; `model` is the file's sha256, or of its path while it has none."""
Index("ix_samples_job", samples.c.job)

benches: Final = Table(
    "benches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("picture", String(64)),
    Column("said", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""What people are in the middle of: refused forms, and pictures that wait for words."""
Index("ix_benches_person", benches.c.person)
Index("ix_benches_created", benches.c.created)
Index("ix_benches_picture", benches.c.picture, sqlite_where=text("picture IS NOT NULL"))

discards: Final = Table(
    "discards",
    metadata,
    Column("sha256", String(64), primary_key=True),
    sqlite_with_rowid=False,
)
"""Files that lost a row and are to go if nothing else refers to them: written with the deletion, so a crash forgets none."""

blocks: Final = Table(
    "blocks",
    metadata,
    Column("guild", BigInteger, primary_key=True),
    Column("person", BigInteger, primary_key=True),
    Column("until", Real()),
    Column("by", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
    sqlite_with_rowid=False,
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("guild", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
    Column("action", String(32), nullable=False),
    Column("words", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_audit_guild", audit.c.guild, audit.c.id)

reports: Final = Table(
    "reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("guild", BigInteger, nullable=False),
    Column("image", Integer, nullable=False),
    Column("job", Integer, nullable=False),
    Column("painter", BigInteger, nullable=False),
    Column("reporter", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("channel", BigInteger, nullable=False),
    Column("message", BigInteger, nullable=False),
    Column("created", Real(), nullable=False),
    Column("state", String(16), nullable=False),
    Column("moderator", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Pictures that somebody reported. No foreign keys: a report outlives its picture."""
Index("ix_reports_open", reports.c.guild, reports.c.image, sqlite_where=text("state = 'open'"))
