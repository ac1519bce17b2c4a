"""Servers: whom they keep from painting, their log, reports; and of each job why it is slow and when it began."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _jobs()
    _rules()
    _reports()


def _jobs() -> None:
    """Columns at the end of the row: SQLite adds them without making the table anew."""
    op.add_column("jobs", sa.Column("slow", sa.Text(), server_default="", nullable=False))
    op.add_column("jobs", sa.Column("started", sa.Float()))
    op.create_index("ix_jobs_guild_created", "jobs", ["guild", "created"], sqlite_where=sa.text("guild IS NOT NULL"))


def _rules() -> None:
    """Whom a server keeps from painting, and what was done there."""
    op.create_table(
        "blocks",
        sa.Column("guild", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Float()),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("guild", "person", name="pk_blocks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_guild", "audit", ["guild", "id"])


def _reports() -> None:
    """Pictures that somebody reported."""
    op.create_table(
        "reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("guild", sa.BigInteger(), nullable=False),
        sa.Column("image", sa.Integer(), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.Column("painter", sa.BigInteger(), nullable=False),
        sa.Column("reporter", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("moderator", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reports_open", "reports", ["guild", "image"], sqlite_where=sa.text("state = 'open'"))
