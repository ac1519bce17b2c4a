"""Series: groups of jobs, their cells, the pictures that they begin from; and of each job to which series it belongs."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # at the end of the row: SQLite adds it without making the table anew
    op.add_column("jobs", sa.Column("series", sa.Integer()))
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("begun", sa.Float()),
        sa.Column("finished", sa.Float()),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("guild", sa.BigInteger()),
        sa.Column("channel", sa.BigInteger(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("interaction_token", sa.Text(), nullable=False),
        sa.Column("application", sa.BigInteger(), nullable=False),
        sa.Column("token_until", sa.Float(), nullable=False),
        sa.Column("card_message", sa.BigInteger(), nullable=False),
        sa.Column("card_channel", sa.BigInteger(), nullable=False),
        sa.Column("result_message", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sqlite_autoincrement=True,
    )
    going = sa.text("state IN ('asked', 'running', 'stopped')")
    op.create_index("ix_series_open", "series", ["id"], sqlite_where=going)
    op.create_index("ix_series_person", "series", ["person"])
    _parts()


def _parts() -> None:
    """What hangs on a series and goes with it."""
    op.create_table(
        "series_cells",
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("job", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_series_cells_series", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series", "ordinal", name="pk_series_cells"),
    )
    op.create_table(
        "series_sources",
        sa.Column("series", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_series_sources_series", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("series", "sha256", name="pk_series_sources"),
    )
    op.create_index("ix_series_sources_sha256", "series_sources", ["sha256"])
