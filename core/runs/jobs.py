"""What a run can do: each job is a config whose `records` is a trainer. Importing this costs nothing: no torch."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from core.alignment.configs import DPOConfig, LoopConfig, PPOConfig, RewardConfig, fitted
from core.alignment.loss_surface.config import SurfaceConfig
from core.anatomy.race_config import RaceConfig
from core.errors import PlaygroundError
from core.feedback.own_prompts import OWN
from core.language.configs import PretrainConfig
from core.paths import run_folder
from core.record import Controls, Record
from core.runs.experiment_jobs import ClinicJob, FrontierJob, GoodhartJob, TastesJob
from core.runs.job import Job
from core.runs.looking_job import LookBackJob

_PREFERENCES: Any = Field(
    description="where votes come from: votes:NAME, dataset:ID, simulated:ANNOTATOR:PAIRS or a file"
)


def _fitted_to_its_model(given: Any, part: Literal["reward", "ppo"]) -> Any:
    """A job's fields with what its model usually has for those of `part` that are not given."""
    if not isinstance(given, dict):
        return given
    return given | {part: fitted(str(given.get("model", "storyteller")), part, given.get(part, {}))}


class RewardJob(Job):
    """A reward model from preferences; leaves `reward_model/`."""

    kind: ClassVar[str] = "reward"
    together: ClassVar[bool] = True
    adjustable: ClassVar[frozenset[str]] = frozenset({"learning_rate"})

    preferences: tuple[str, ...] = _PREFERENCES
    model: str = Field("storyteller", description="policy whose trunk the reward model starts from")
    reward: RewardConfig = RewardConfig()

    @model_validator(mode="before")
    @classmethod
    def _fit_to_model(cls, given: Any) -> Any:
        return _fitted_to_its_model(given, "reward")

    @property
    @override
    def title(self) -> str:
        return f"Reward model on {_in_words(self.preferences)}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.runs import run_reward

        return run_reward(self.preferences, self.model, self.reward, folder, state, controls)


class AgainJob(Job):
    """The votes of a finished reward or loop run, learned again: what its kinds share."""

    of: str = Field(description="id of the reward or loop run whose votes are learned again")
    model: str = Field("storyteller", description="policy whose trunk the reward models start from")
    reward: RewardConfig = RewardConfig()


class EnsembleJob(AgainJob):
    """Several reward models on resamples of the same votes; leaves `ensemble/member-1`, `member-2`, …"""

    kind: ClassVar[str] = "ensemble"

    members: int = Field(4, ge=2, le=10, description="reward models to train")

    @property
    @override
    def title(self) -> str:
        return f"{self.members} reward models on the votes of {self.of}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.cross_examination.again import run_ensemble

        return run_ensemble(run_folder(self.of), self.model, self.reward, self.members, folder, state, controls)


class CurveJob(AgainJob):
    """Reward models on ever more of the same votes; leaves nothing but its figures."""

    kind: ClassVar[str] = "curve"

    seeds: int = Field(3, ge=1, le=10, description="times each number of votes is learned, from other seeds")

    @property
    @override
    def title(self) -> str:
        return f"Learning curve on the votes of {self.of}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.cross_examination.again import run_curve

        return run_curve(run_folder(self.of), self.model, self.reward, self.seeds, state, controls)


class FlipJob(AgainJob):
    """The same votes learned twice, as they are and with one flipped; leaves `unflipped/` and `flipped/`."""

    kind: ClassVar[str] = "flip"

    place: int = Field(ge=0, description="place of the vote to flip among the run's, from 0")

    @property
    @override
    def title(self) -> str:
        return f"Vote {self.place} of {self.of} flipped"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.cross_examination.again import run_flip

        return run_flip(run_folder(self.of), self.model, self.reward, self.place, folder, state, controls)


class PPOJob(Job):
    """A policy tuned against a reward model; leaves `policy/`."""

    kind: ClassVar[str] = "ppo"
    together: ClassVar[bool] = True
    adjustable: ClassVar[frozenset[str]] = frozenset({"learning_rate", "kl_coef"})

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    reward_model: str = Field(description="folder of the reward model")
    prompts: str = Field(
        "", description="prompt set (stories, summaries, chat) or a text file (default: the policy's own)"
    )
    gold: str = Field(
        "", description="simulated annotator whose true utility is measured on the way, and never trained on"
    )
    ppo: PPOConfig = PPOConfig()

    @model_validator(mode="before")
    @classmethod
    def _fit_to_model(cls, given: Any) -> Any:
        return _fitted_to_its_model(given, "ppo")

    @property
    @override
    def title(self) -> str:
        return f"PPO of {Path(self.model).name}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.runs import run_ppo

        return run_ppo(self.model, self.reward_model, self.prompts, self.ppo, self.gold, folder, state, controls)


class DPOJob(Job):
    """A policy tuned on preferences themselves, without a reward model; leaves `policy/`."""

    kind: ClassVar[str] = "dpo"
    together: ClassVar[bool] = True
    adjustable: ClassVar[frozenset[str]] = frozenset({"learning_rate"})

    preferences: tuple[str, ...] = _PREFERENCES
    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    heldout_share: float = Field(0.1, ge=0, le=0.5, description="share of the prompts kept to measure with")
    dpo: DPOConfig = DPOConfig()

    @property
    @override
    def title(self) -> str:
        return f"DPO of {Path(self.model).name} on {_in_words(self.preferences)}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.runs import run_dpo

        return run_dpo(self.preferences, self.model, self.dpo, self.heldout_share, folder, state, controls)


class LoopJob(Job, LoopConfig):
    """The whole loop; leaves `preferences.jsonl`, `reward_model/`, `policy/` and `heldout.jsonl`."""

    kind: ClassVar[str] = "loop"
    adjustable: ClassVar[frozenset[str]] = frozenset({"learning_rate", "kl_coef"})

    @property
    @override
    def title(self) -> str:
        from core.feedback.annotators import get_annotator

        return f"Whole loop of {Path(self.model).name} for {get_annotator(self.annotator).title}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.alignment.loop import run_loop

        return run_loop(self, folder, state, controls)


class PretrainJob(Job, PretrainConfig):
    """A language model from nothing; leaves `model/`."""

    kind: ClassVar[str] = "pretrain"

    data: str = Field(
        description="text: a .jsonl, .txt or .parquet file, a folder of those, or a data set's id on the hub"
    )

    @property
    @override
    def title(self) -> str:
        return f"Pre-training on {Path(self.data).name}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.language.pretraining_run import run_pretraining

        return run_pretraining(self, self.data, folder, state)


class RaceJob(Job, RaceConfig):
    """Four small networks learn to recall a token; leaves nothing but its curves."""

    kind: ClassVar[str] = "race"

    @property
    @override
    def title(self) -> str:
        return f"Race to recall the token {self.distance} steps ago"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.anatomy.recall_race import run_race

        return run_race(self, state)


class SurfaceJob(Job, SurfaceConfig):
    """The loss of a run's reward model over a plane; leaves `surface.json`."""

    kind: ClassVar[str] = "surface"

    @property
    @override
    def title(self) -> str:
        return f"Loss surface of {self.run}"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.runs.surface_source import surface_of_run

        return surface_of_run(self, folder, state)


class PairsJob(Job):
    """Pairs of responses for people to vote on, written ahead into the store's pool."""

    kind: ClassVar[str] = "pairs"
    queued: ClassVar[bool] = False

    policy: str = Field("storyteller", description="policy that writes")
    prompts: str = Field("stories", description="prompt set (stories, summaries, chat) or a text file, a prompt a line")
    count: int = Field(64, ge=1, le=10_000, description="pairs to write")
    max_new_tokens: int = Field(48, ge=1, le=512, description="longest response, in tokens")
    temperature: float = Field(1.0, ge=0.05, le=5.0, description="sampling temperature")

    @property
    @override
    def for_all(self) -> bool:
        """One pool for the class, but of an annotator's own prompts, or of a policy that somebody tuned."""
        return not self.prompts.startswith(OWN) and not Path(self.policy).is_absolute()

    @property
    @override
    def title(self) -> str:
        return f"{self.count} pairs of {Path(self.policy).name} to vote on"

    @override
    def records(self, folder: Path, state: dict[str, Any] | None, controls: Controls) -> Iterator[Record]:
        from core.runs.pairs_run import write_pool

        return write_pool(self, folder.name)


def _in_words(sources: tuple[str, ...]) -> str:
    from core.feedback.sources import in_words

    return ", ".join(in_words(source) for source in sources)


JOBS: dict[str, type[Job]] = {
    job.kind: job
    for job in (
        RewardJob,
        EnsembleJob,
        CurveJob,
        FlipJob,
        PPOJob,
        DPOJob,
        LoopJob,
        PretrainJob,
        RaceJob,
        SurfaceJob,
        LookBackJob,
        GoodhartJob,
        FrontierJob,
        ClinicJob,
        TastesJob,
        PairsJob,
    )
}


def job_from(kind: str, config: dict[str, Any]) -> Job:
    """The job that a run's row describes. Raises PlaygroundError for an unknown kind or a field out of bounds."""
    if kind not in JOBS:
        raise PlaygroundError(f"There is no job called {kind!r}; there are: {', '.join(sorted(JOBS))}.")
    return JOBS[kind].checked(**config)
