"""The tables, as SQLAlchemy Core describes them. `migrations/` makes them; a test holds the two equal.

Times are Unix seconds. Texts are what people saw, byte for byte.
"""

import sqlalchemy as sa

VERSION = "0005"
"""The revision that these tables are; a database at another one is migrated, or refused when it is newer."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _belongs_to(column: str, parent: str) -> sa.Column[int]:
    """A column that names a row of another table and goes when that row goes."""
    return sa.Column(column, sa.ForeignKey(parent, ondelete="CASCADE"), nullable=False, index=True)


prompts = sa.Table(
    "prompts",
    metadata,
    _id(),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),  # of the text: texts are too long to index
    sa.Column("text", sa.Text, nullable=False),
)

responses = sa.Table(
    "responses",
    metadata,
    _id(),
    _belongs_to("prompt_id", "prompts.id"),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column(
        "policy", sa.Text, nullable=False
    ),  # with seed and settings: who wrote it, and how to have it written again
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("created", sa.Double, nullable=False),
)

pairs = sa.Table(
    "pairs",
    metadata,
    _id(),
    sa.Column(
        "digest", sa.String(64), nullable=False, unique=True
    ),  # of policy, prompt set and texts: no pair waits twice
    _belongs_to("prompt_id", "prompts.id"),
    _belongs_to("response_a", "responses.id"),
    _belongs_to("response_b", "responses.id"),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("prompt_set", sa.Text, nullable=False),
    sa.Column("pool", sa.Text, nullable=False),  # where it came from: "bundled", "generated", …
    sa.Column("created", sa.Double, nullable=False),
    sa.Index(None, "policy", "prompt_set", "id", "pool"),
    sqlite_autoincrement=True,
)

quartets = sa.Table(  # four responses to one prompt, put up as two pairs: for ranking
    "quartets",
    metadata,
    _id(),
    _belongs_to("first_pair", "pairs.id"),
    _belongs_to("second_pair", "pairs.id"),
    sa.Column("policy", sa.Text, nullable=False),  # of both pairs
    sa.Column("prompt_set", sa.Text, nullable=False),
    sa.UniqueConstraint("first_pair", "second_pair"),
    sa.Index(None, "policy", "prompt_set", "id"),
    sqlite_autoincrement=True,
)

comparisons = sa.Table(
    "comparisons",
    metadata,
    _id(),
    _belongs_to("pair_id", "pairs.id"),
    sa.Column("annotator", sa.Text, nullable=False),
    _belongs_to("left_response", "responses.id"),  # as shown
    _belongs_to("right_response", "responses.id"),
    sa.Column("choice", sa.String(5), nullable=False),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("response_seconds", sa.Double),
    sa.Column("strength", sa.Double),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("undone", sa.Integer, nullable=False, server_default="0"),  # 0: it stands; its own id: taken back
    sa.Column("ranking", sa.String(32)),  # what one act made together has one name here, and is undone together
    sa.Column("repeat_of", sa.ForeignKey("comparisons.id", ondelete="CASCADE"), index=True),  # asked again, hidden
    sa.CheckConstraint("choice IN ('left', 'right', 'tie', 'skip')", name="choice_known"),
    sa.Index(None, "annotator", "id"),
    sqlite_autoincrement=True,
)

# One standing vote each, whatever is clicked twice; and one more where the pair was asked again.
sa.Index(
    "uq_comparisons_vote",
    *(comparisons.c[name] for name in ("annotator", "undone", "pair_id")),
    unique=True,
    sqlite_where=comparisons.c.repeat_of.is_(None),
    postgresql_where=comparisons.c.repeat_of.is_(None),
)
sa.Index(
    "uq_comparisons_repeat",
    *(comparisons.c[name] for name in ("annotator", "undone", "repeat_of")),
    unique=True,
    sqlite_where=comparisons.c.repeat_of.is_not(None),
    postgresql_where=comparisons.c.repeat_of.is_not(None),
)

own_prompts = sa.Table(  # what an annotator wants a policy to be asked
    "own_prompts",
    metadata,
    _id(),
    sa.Column("annotator", sa.Text, nullable=False),
    _belongs_to("prompt_id", "prompts.id"),
    sa.Column("created", sa.Double, nullable=False),
    sa.UniqueConstraint("annotator", "prompt_id"),
)

datasets = sa.Table(
    "datasets",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("ties", sa.Integer, nullable=False, server_default="0"),  # votes that named no winner: no rows of them
    sa.Column("owner", sa.Text, nullable=False, server_default=""),  # as in `runs`
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("published", sa.Double),  # when; NULL while rows are being staged or swept, and then nobody sees it
    sa.Column("host", sa.Text, nullable=False),  # the importing machine, the lock file that its process holds,
    sa.Column("lock", sa.Text, nullable=False),  # and when it last wrote: is it still alive?
    sa.Column("touched", sa.Double, nullable=False),
    sqlite_autoincrement=True,  # "dataset:3" must never come to mean another one
)

dataset_rows = sa.Table(
    "dataset_rows",
    metadata,
    sa.Column("dataset_id", sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3… over the usable rows
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("chosen", sa.Text, nullable=False),
    sa.Column("rejected", sa.Text, nullable=False),
    sa.Column("margin", sa.Double),
    sa.Column("annotator", sa.Text, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.String(100), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("config", sa.JSON, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("started", sa.Double),
    sa.Column("ended", sa.Double),
    sa.Column("error", sa.Text),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("stage", sa.Text),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),  # 0 while unknown
    sa.Column("pid", sa.Integer),
    sa.Column("host", sa.Text),
    sa.Column("heartbeat", sa.Double),  # when its process last said that it lives; NULL where one machine has it all
    sa.Column("requested", sa.Text),  # "pause", "step" or "stop", until the worker obeys
    sa.Column("owner", sa.Text, nullable=False, server_default=""),  # who signed in and made it; "": whoever runs this
    sa.Index(None, "created"),
)

steps = sa.Table(
    "steps",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3… over the whole run
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),  # within its stage
    sa.Column("time", sa.Double, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
)

samples = sa.Table(
    "samples",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.JSON, nullable=False),
)

controls = sa.Table(
    "controls",
    metadata,
    _id(),
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("update", sa.Integer),  # the update it was applied at; NULL until then
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("requested_at", sa.Double, nullable=False),
)

people = sa.Table(  # who has signed in with the class's password, and taken a name by it
    "people",
    metadata,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("word", sa.Text, nullable=False),  # a salted hash of the word that makes the name theirs
    sa.Column("created", sa.Double, nullable=False),
)
