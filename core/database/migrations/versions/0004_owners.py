"""Whose a run or a data set is, and who has signed in, where a class shares one server."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for table in ("runs", "datasets"):
        op.add_column(table, sa.Column("owner", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "people",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_people"),
    )
