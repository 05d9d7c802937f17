"""What tests of pages share: opening a page as a person does, and runs that have got somewhere."""

import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from core.database.schema import runs
from core.record import Record
from core.runs.jobs import job_from
from core.runs.journal import Journal
from core.runs.store import Run, RunStore

PAGES = Path(__file__).parents[2] / "pages"


def opened(page: str, **url: str) -> AppTest:
    """The page as its URL gives it, without an exception."""
    at = AppTest.from_file(str(PAGES / f"{page}.py"), default_timeout=60)
    for name, value in url.items():
        at.query_params[name] = value
    return fine(at.run())


def fine(at: AppTest) -> AppTest:
    assert not at.exception, [error.message for error in at.exception]
    return at


def unfolded(at: AppTest, label: str) -> AppTest:
    """The page after a click on what is folded under `label`."""
    (box,) = [one for one in at.expander if one.label == label]
    assert not box.children, f"{label} was made before anybody opened it"
    at.session_state[box.proto.id.split("-", 2)[2]] = True  # $$ID-hash-key
    return fine(at.run())


def said(at: AppTest) -> str:
    """All the text on the page that is no widget's: what a person reads."""
    kinds = (at.title, at.subheader, at.markdown, at.caption, at.info, at.warning, at.error, at.success, at.code)
    words = [element.value for kind in kinds for element in kind]
    everything = "\n".join([*words, *(element.proto.body for element in at.get("html"))])
    return re.sub(r'<span class="term"[^>]*>(.*?)</span>', r"\1", everything)  # an explained word is read as the word


def a_run(
    kind: str = "loop",
    status: str = "finished",
    records: list[Record] | None = None,
    error: str | None = None,
    run_id: str | None = None,
    **config: Any,
) -> Run:
    """A run whose process has written `records` and then its last word."""
    store = RunStore()
    run = store.create(job_from(kind, config), run_id=run_id)
    journal = Journal(store.engine, run.id)
    for number, record in enumerate(records or [], 1):
        journal.write(number, record)
    if status in ("finished", "failed", "stopped"):
        journal.end(status, len(records or []), error)  # type: ignore[arg-type]
    elif status != "queued":
        journal.mark(status)  # type: ignore[arg-type]
    with store.engine.begin() as connection:
        connection.execute(sa.update(runs).where(runs.c.id == run.id).values(started=run.created))
    return store.get(run.id)


LOOP_RESULT = {
    "reward_accuracy": 0.71, "reward_accuracy_ceiling": 0.82, "reward_skill": 0.66,
    "gold_before": 1.125, "gold_after": 3.25, "gold_win_rate": 0.925, "kl": 8.75,
}  # fmt: skip


def loop_records(result: dict[str, Any] | None = None) -> list[Record]:
    """A short loop: votes, a reward model, three updates."""
    return [
        Record(1, {}, "preferences", 1),
        Record(1, {"loss": 0.7, "margin": 0.1, "heldout/accuracy": 0.55}, "reward", 2),
        Record(2, {"loss": 0.5, "margin": 1.5, "heldout/accuracy": 0.7}, "reward", 2),
        *(
            Record(n, {"objective/scores": n / 2, "objective/kl_exact": 2.0 * n, "objective/gold": 1.0 + n}, "ppo", 3)
            for n in (1, 2, 3)
        ),
        *([Record(1, {}, "evaluation", 1, result=result)] if result else []),
    ]
