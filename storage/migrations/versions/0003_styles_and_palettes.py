"""Styles carry more than words; what people chose in the pickers; pictures painted to show what a model does."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # at the end of the row: SQLite adds it without making the table anew
    op.add_column("styles", sa.Column("settings", sa.Text(), server_default="{}", nullable=False))
    op.create_table(
        "palettes",
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_palettes"),
    )
    op.create_table(
        "samples",
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("job", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name="fk_samples_job", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model", name="pk_samples"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_samples_job", "samples", ["job"])
