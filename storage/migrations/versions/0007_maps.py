"""The maps that controls followed: kept beside what a job begins from, and gone with it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_sources", sa.Column("unit", sa.Integer()))
