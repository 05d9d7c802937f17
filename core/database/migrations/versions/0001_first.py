"""The first schema: votes, imported preferences, runs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("published", sa.Double()),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("touched", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_datasets"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "prompts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prompts"),
        sa.UniqueConstraint("digest", name="uq_prompts_digest"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("started", sa.Double()),
        sa.Column("ended", sa.Double()),
        sa.Column("error", sa.Text()),
        sa.Column("result", sa.JSON(none_as_null=True)),
        sa.Column("stage", sa.Text()),
        sa.Column("step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pid", sa.Integer()),
        sa.Column("host", sa.Text()),
        sa.Column("requested", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_created", "runs", ["created"])
    op.create_table(
        "controls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=100), nullable=False),
        sa.Column("update", sa.Integer()),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("requested_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_controls_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_controls"),
    )
    op.create_index("ix_controls_run_id", "controls", ["run_id"])
    op.create_table(
        "dataset_rows",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=False),
        sa.Column("rejected", sa.Text(), nullable=False),
        sa.Column("margin", sa.Double()),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_dataset_rows_dataset_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset_id", "number", name="pk_dataset_rows"),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_responses_prompt_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
    )
    op.create_index("ix_responses_prompt_id", "responses", ["prompt_id"])
    op.create_table(
        "samples",
        sa.Column("run_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_samples_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", "index", name="pk_samples"),
    )
    op.create_table(
        "steps",
        sa.Column("run_id", sa.String(length=100), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("time", sa.Double(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_steps_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_steps"),
    )
    op.create_table(
        "pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("response_a", sa.Integer(), nullable=False),
        sa.Column("response_b", sa.Integer(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("prompt_set", sa.Text(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_pairs_prompt_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["response_a"], ["responses.id"], name="fk_pairs_response_a", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["response_b"], ["responses.id"], name="fk_pairs_response_b", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_pairs"),
        sa.UniqueConstraint("digest", name="uq_pairs_digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_pairs_policy_prompt_set_id", "pairs", ["policy", "prompt_set", "id"])
    op.create_index("ix_pairs_prompt_id", "pairs", ["prompt_id"])
    op.create_index("ix_pairs_response_a", "pairs", ["response_a"])
    op.create_index("ix_pairs_response_b", "pairs", ["response_b"])
    op.create_table(
        "comparisons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("left_response", sa.Integer(), nullable=False),
        sa.Column("right_response", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(length=5), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("response_seconds", sa.Double()),
        sa.Column("strength", sa.Double()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("undone", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("choice IN ('left', 'right', 'tie', 'skip')", name="choice_known"),
        sa.ForeignKeyConstraint(
            ["left_response"], ["responses.id"], name="fk_comparisons_left_response", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["pair_id"], ["pairs.id"], name="fk_comparisons_pair_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["right_response"], ["responses.id"], name="fk_comparisons_right_response", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_comparisons"),
        sa.UniqueConstraint("annotator", "undone", "pair_id", name="uq_comparisons_annotator_undone_pair_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comparisons_annotator_id", "comparisons", ["annotator", "id"])
    op.create_index("ix_comparisons_left_response", "comparisons", ["left_response"])
    op.create_index("ix_comparisons_pair_id", "comparisons", ["pair_id"])
    op.create_index("ix_comparisons_right_response", "comparisons", ["right_response"])
