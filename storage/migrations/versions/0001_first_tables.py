"""The first tables: people, servers, jobs, pictures, stars, posts, styles, seeds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _people()
    _jobs()
    _images()
    _posts()


def _people() -> None:
    """What people and servers have chosen, and what they keep under a name."""
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("remember", sa.Boolean(), nullable=False),
        sa.Column("dm", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_table(
        "guilds",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_guilds"),
    )
    op.create_table(
        "styles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("guild", sa.BigInteger()),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("negative", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_styles"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_styles_guild", "styles", ["guild"], sqlite_where=sa.text("guild IS NOT NULL"))
    op.create_index("ix_styles_owner_key_version", "styles", ["owner", "key", "version"], unique=True)
    op.create_table(
        "seeds",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("person", "key", name="pk_seeds"),
        sqlite_with_rowid=False,
    )


def _jobs() -> None:
    """Jobs and the pictures that they begin from."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("finished", sa.Float()),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("guild", sa.BigInteger()),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("interaction_token", sa.Text(), nullable=False),
        sa.Column("application", sa.BigInteger(), nullable=False),
        sa.Column("token_until", sa.Float(), nullable=False),
        sa.Column("card_message", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["parent"], ["images.id"], name="fk_jobs_parent", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_card_message", "jobs", ["card_message"], sqlite_where=sa.text("card_message != 0"))
    op.create_index("ix_jobs_parent", "jobs", ["parent"], sqlite_where=sa.text("parent IS NOT NULL"))
    op.create_index("ix_jobs_person_created", "jobs", ["person", "created", "pictures", "seconds"])
    op.create_index("ix_jobs_untold", "jobs", ["id"], sqlite_where=sa.text("told = 0"))
    op.create_table(
        "job_sources",
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name="fk_job_sources_job", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job", "sha256", name="pk_job_sources"),
    )
    op.create_index("ix_job_sources_sha256", "job_sources", ["sha256"])


def _images() -> None:
    """Pictures, and files that lost their row."""
    op.create_table(
        "images",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("guild", sa.BigInteger()),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("infotext", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("message_channel", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name="fk_images_job", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["parent"], ["images.id"], name="fk_images_parent", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_images_job_index", "images", ["job", "index"], unique=True)
    op.create_index("ix_images_message", "images", ["message"], sqlite_where=sa.text("message != 0"))
    op.create_index("ix_images_parent", "images", ["parent"], sqlite_where=sa.text("parent IS NOT NULL"))
    op.create_index("ix_images_person", "images", ["person", "id"])
    op.create_index("ix_images_sha256", "images", ["sha256"])
    op.create_table(
        "discards",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_discards"),
        sqlite_with_rowid=False,
    )


def _posts() -> None:
    """Stars, and messages that are owed."""
    op.create_table(
        "favourites",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["image"], ["images.id"], name="fk_favourites_image", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", "image", name="pk_favourites"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_favourites_image", "favourites", ["image"])
    op.create_table(
        "posts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("nonce", sa.String(length=25), nullable=False),
        sa.Column("tried", sa.Float()),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name="fk_posts_job", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.UniqueConstraint("nonce", name="uq_posts_nonce"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_posts_job_ordinal", "posts", ["job", "ordinal"], unique=True)
    op.create_index("ix_posts_pending", "posts", ["id"], sqlite_where=sa.text("state = 'pending'"))
