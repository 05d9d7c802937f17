"""How many votes of an imported dataset were ties: counted, and never trained on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("datasets", sa.Column("ties", sa.Integer(), nullable=False, server_default="0"))
