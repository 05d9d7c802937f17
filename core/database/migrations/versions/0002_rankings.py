"""Rankings of four, hidden repeats, own prompts.

Tables that others point at (`pairs`) are never rebuilt: SQLite rebuilds by dropping, and the drop of a row cascades.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "quartets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_pair", sa.Integer(), nullable=False),
        sa.Column("second_pair", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("prompt_set", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["first_pair"], ["pairs.id"], name="fk_quartets_first_pair", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["second_pair"], ["pairs.id"], name="fk_quartets_second_pair", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_quartets"),
        sa.UniqueConstraint("first_pair", "second_pair", name="uq_quartets_first_pair_second_pair"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_quartets_first_pair", "quartets", ["first_pair"])
    op.create_index("ix_quartets_policy_prompt_set_id", "quartets", ["policy", "prompt_set", "id"])
    op.create_index("ix_quartets_second_pair", "quartets", ["second_pair"])
    op.create_table(
        "own_prompts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_own_prompts_prompt_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_own_prompts"),
        sa.UniqueConstraint("annotator", "prompt_id", name="uq_own_prompts_annotator_prompt_id"),
    )
    op.create_index("ix_own_prompts_prompt_id", "own_prompts", ["prompt_id"])
    op.drop_index("ix_pairs_policy_prompt_set_id", "pairs")
    op.create_index("ix_pairs_policy_prompt_set_id_pool", "pairs", ["policy", "prompt_set", "id", "pool"])
    with op.batch_alter_table("comparisons", table_kwargs={"sqlite_autoincrement": True}) as comparisons:
        comparisons.add_column(sa.Column("ranking", sa.String(length=32)))
        comparisons.add_column(sa.Column("repeat_of", sa.Integer()))
        comparisons.create_foreign_key(
            "fk_comparisons_repeat_of", "comparisons", ["repeat_of"], ["id"], ondelete="CASCADE"
        )
        comparisons.drop_constraint("uq_comparisons_annotator_undone_pair_id", type_="unique")
    op.create_index("ix_comparisons_repeat_of", "comparisons", ["repeat_of"])
    first, again = sa.text("repeat_of IS NULL"), sa.text("repeat_of IS NOT NULL")
    op.create_index(
        "uq_comparisons_vote",
        "comparisons",
        ["annotator", "undone", "pair_id"],
        unique=True,
        sqlite_where=first,
        postgresql_where=first,
    )
    op.create_index(
        "uq_comparisons_repeat",
        "comparisons",
        ["annotator", "undone", "repeat_of"],
        unique=True,
        sqlite_where=again,
        postgresql_where=again,
    )
