"""When a run's process last said that it lives: for machines that cannot see its lock."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("heartbeat", sa.Double()))
