"""The roles that somebody had who agreed to a series: its cells are held against the rules for them, after a restart too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series", sa.Column("roles", sa.Text(), nullable=False, server_default=""))
