"""Where the reader's own loop stands: read from the store on every run of a page, never remembered by a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.store import Run, RunStore

TRAINING = ("queued", "running", "paused")
FEW = 30  # held-out votes below which a share is told with their number: 100 % of one vote is nothing


@dataclass(frozen=True)
class Station:
    """One station of the pipeline, and its state in a few characters."""

    name: str  # the page that is about it
    title: str
    concept: str  # its colour
    state: str
    reached: bool  # something real is there
    busy: bool = False  # a run is working on it now
    run: str = ""  # the run whose numbers these are, which the page opens with


def predicted(share: float, votes: int | None) -> str:
    """A share of votes as it is said: of few their number, for 62% of eight is five."""
    return f"{share * votes:g} of {votes}" if votes is not None and votes < FEW else f"{share:.0%}"


@dataclass(frozen=True)
class Pipeline:
    """The four stations, and the numbers behind them that are known (None: not measured yet)."""

    policy: str = "storyteller"
    votes: int = 0
    people: int = 1  # whose votes these are
    unlearnt: bool = False  # these are the reader's own, and the reward model beside them learned from others
    accuracy: float | None = None  # held-out share of votes predicted
    heldout: int | None = None  # of how many votes, where the run says so
    score: float | None = None  # mean score of the policy's responses, in the reward model's normalised unit
    kl: float | None = None  # nats per response, from the reference
    gold_before: float | None = None
    gold_after: float | None = None
    busy: str = ""  # the stage training now: "preferences", "reward", "ppo", "evaluation", or ""
    progress: float = 0.0  # of that stage, 0 to 1
    run_id: str = ""  # the run most of this comes from
    reward_run: str = ""  # the run that the reward model comes from
    ppo_run: str = ""  # the run that tuned the policy

    def stations(self) -> list[Station]:
        """Left to right, as the strip shows them."""
        reward = (
            f"{predicted(self.accuracy, self.heldout)} held-out" if self.accuracy is not None else "not trained yet"
        )
        ppo = f"KL {self.kl:.1f} nats" if self.kl is not None else "not run yet"
        votes = f"{self.votes:,} vote{'' if self.votes == 1 else 's'}"
        votes += f" of {self.people} people" if self.people > 1 else ""
        votes += ", not in this model" if self.unlearnt else ""
        share = f"{self.progress:.0%} done"
        return [
            Station("overview", "Policy", "policy", short_model(self.policy), True),
            Station(
                "label",
                "Preferences",
                "chosen",
                share if self.busy == "preferences" else votes,
                self.votes > 0,
                self.busy == "preferences",
            ),
            Station(
                "reward_model",
                "Reward model",
                "reward",
                share if self.busy == "reward" else reward,
                self.accuracy is not None,
                self.busy == "reward",
                self.reward_run,
            ),
            Station(
                "ppo",
                "PPO",
                "kl",
                share if self.busy == "ppo" else ppo,
                self.kl is not None,
                self.busy in ("ppo", "evaluation"),
                self.ppo_run,
            ),
        ]


def short_model(model: str) -> str:
    """The last part of a hub id or a folder: what fits in a strip."""
    return model.rstrip("/").rsplit("/", 1)[-1]


def my_pipeline() -> Pipeline:
    """The state of the newest runs and of all votes. Reads the database; never imports torch."""
    from core.feedback.store import FeedbackStore
    from core.runs.store import RunStore

    store = RunStore()
    runs = store.list()
    rewarded, tuned = _chain(runs)
    newest = tuned or rewarded
    feedback = FeedbackStore()
    state = Pipeline(votes=_votes(feedback), people=len(feedback.annotators()))
    if newest is None:
        return state
    numbers = (_numbers(store, rewarded) if rewarded else {}) | (_numbers(store, tuned) if tuned else {})
    training = [run for run in runs if run.kind in ("reward", "ppo", "loop") and run.status in ("queued", "running")]
    busy = next((run for run in training if run.status == "running"), training[0] if training else None)
    busy_with = (busy.stage or ("preferences" if busy.kind == "loop" else busy.kind)) if busy else ""
    return Pipeline(
        policy=str(newest.config.get("model") or "storyteller"),
        votes=state.votes or int(newest.config.get("pairs") or 0),
        people=state.people,
        unlearnt=state.votes > 0 and rewarded is not None and not _learned_own_votes(rewarded),
        accuracy=numbers.get("accuracy"),
        score=numbers.get("score"),
        kl=numbers.get("kl"),
        gold_before=numbers.get("gold_before"),
        gold_after=numbers.get("gold_after"),
        busy=busy_with,
        progress=busy.step / busy.total if busy and busy.total else 0.0,
        heldout=_heldout(rewarded),
        run_id=newest.id,
        reward_run=busy.id if busy and busy_with == "reward" else rewarded.id if rewarded else "",
        ppo_run=busy.id if busy and busy_with == "ppo" else tuned.id if tuned else "",
    )


def _to_show(runs: "Sequence[Run]", kind: str) -> "Run | None":
    """The newest run that is done with this; before there is one, the newest that has begun it."""
    ours = [run for run in runs if run.kind in (kind, "loop")]
    return next((run for run in ours if run.status == "finished"), ours[0] if ours else None)


def _chain(runs: "Sequence[Run]") -> "tuple[Run | None, Run | None]":
    """The runs whose reward model and whose policy the strip shows: a policy beside the model that paid it, or none."""
    rewarded, tuned = _to_show(runs, "reward"), _to_show(runs, "ppo")
    if rewarded is None or tuned is None or tuned.id == rewarded.id or _payer(tuned) == rewarded.id:
        return rewarded, tuned
    if rewarded.created > tuned.created:  # learnt since, and nothing is tuned with it yet
        return rewarded, None
    return next((run for run in runs if run.id in (tuned.id, _payer(tuned)) and run.kind != "ppo"), rewarded), tuned


def _payer(tuned: "Run") -> str:
    """The run that a PPO run's reward model comes from; empty for a loop, which makes its own."""
    return Path(str(tuned.config.get("reward_model") or "")).parent.name


def run_pipeline(store: "RunStore", run: "Run") -> Pipeline:
    """The same picture for one loop run alone, the one whose id is in the URL."""
    numbers = _numbers(store, run)
    training = run.status in TRAINING
    return Pipeline(
        policy=str(run.config.get("model") or "storyteller"),
        votes=int(run.config.get("pairs") or 0),
        accuracy=numbers.get("accuracy"),
        score=numbers.get("score"),
        kl=numbers.get("kl"),
        gold_before=numbers.get("gold_before"),
        gold_after=numbers.get("gold_after"),
        busy=(run.stage or "preferences") if training else "",
        progress=run.step / run.total if run.total else 0.0,
        heldout=_heldout(run),
        run_id=run.id,
        reward_run=run.id,
        ppo_run=run.id,
    )


def _votes(store: object) -> int:
    return sum(store.count().get(choice, 0) for choice in ("left", "right"))  # type: ignore[attr-defined]


def _learned_own_votes(run: "Run") -> bool:
    """Whether its reward model was taught by people's votes, among others or alone: a loop's are simulated."""
    return any(str(source).partition(":")[0] == "votes" for source in run.config.get("preferences", ()))


def _heldout(run: "Run | None") -> int | None:
    """How many votes its held-out accuracy was measured on."""
    found = (run.result or {}).get("pairs_heldout") if run else None
    return int(found) if isinstance(found, int) else None


def _numbers(store: "RunStore", run: "Run") -> dict[str, float]:
    """The newest value of each number a strip shows: the run's own result first, else its newest steps."""
    found: dict[str, float] = {}
    recent = 0 if run.kind == "loop" else max(0, run.step - 200)  # held-out accuracy is measured every so many steps
    for step in store.steps(run.id, after=recent):
        for key, metric in (
            ("accuracy", "heldout/accuracy"),
            ("score", "objective/scores"),
            ("kl", "objective/kl"),
            ("kl", "objective/kl_exact"),  # the better figure where it was recorded
            ("gold_after", "objective/gold"),
        ):
            if metric in step.metrics:
                found[key] = step.metrics[metric]
    result = run.result or {}
    for key, names in {
        "accuracy": ("reward_accuracy", "accuracy_heldout"),
        "kl": ("kl", "kl_exact"),  # a loop's is exact; of a PPO run the exact one is the better figure
        "gold_before": ("gold_before",),
        "gold_after": ("gold_after",),
    }.items():
        for name in names:
            if isinstance(result.get(name), int | float):
                found[key] = float(result[name])
    return found
