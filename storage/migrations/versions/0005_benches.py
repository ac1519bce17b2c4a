"""Benches: refused forms and pictures that wait for words outlive a restart."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "benches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("picture", sa.String(length=64)),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benches"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_benches_person", "benches", ["person"])
    op.create_index("ix_benches_created", "benches", ["created"])
    op.create_index("ix_benches_picture", "benches", ["picture"], sqlite_where=sa.text("picture IS NOT NULL"))
