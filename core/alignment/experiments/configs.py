"""Configurations of the experiments. No torch."""

from typing import Annotated

from pydantic import Field

from core.alignment.configs import WHO_VOTES, PPOConfig, RewardConfig
from core.config import Config

Beta = Annotated[float, Field(ge=0, le=10)]
Votes = Annotated[int, Field(ge=8, le=100_000)]
Portion = Annotated[float, Field(ge=0, le=1)]
Price = Annotated[float, Field(gt=0, le=10)]  # DPO divides by it
_BEST_OF = "responses per prompt for best-of-n, whose largest n is a quarter of them (0: none are written)"


class TaughtConfig(RewardConfig):
    """A reward model of an experiment: measured on pairs of its own, so that it may learn from all it is given."""

    heldout_share: float = Field(0.0, ge=0, le=0.5, description="share of the prompts kept to measure with")
    weights_kept: int = Field(0, ge=0, le=64, description="times on the way that the weights are kept (0: never)")


class DriftConfig(PPOConfig):
    """PPO that is let go far: nothing ends it before its last update."""

    updates: int = Field(30, ge=1, le=10_000, description="rounds of sampling and optimising")
    learning_rate: float = Field(1.5e-4, gt=0, le=1e-2, description="AdamW's learning rate")
    weights_every: int = Field(0, ge=0, description="updates between saved weights for looking back (0: none)")
    watch_prompts: int = Field(0, ge=0, le=16, description="prompts answered again on the way, to be read (0: none)")


class GoodhartConfig(Config):
    """Over-optimisation: the reward model's score and the annotator's true utility as a policy drifts away."""

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    annotator: str = Field("sunny", description=WHO_VOTES)
    votes: tuple[Votes, ...] = Field(
        (32, 128, 512, 4096), min_length=1, description="numbers of votes that reward models are taught with"
    )
    betas: tuple[Beta, ...] = Field((0.0, 0.1), min_length=1, description="KL coefficients PPO is run with")
    seeds: int = Field(1, ge=1, le=10, description="times each run is repeated, from other seeds")
    ensemble_votes: int = Field(128, ge=8, description="votes that the ensemble is taught with: one of `votes`")
    members: int = Field(4, ge=0, le=10, description="reward models in the ensemble (0: none is made)")
    best_of: int = Field(256, ge=0, le=4096, description=_BEST_OF)
    best_of_prompts: int = Field(24, ge=1, le=1000, description="held-out prompts for best-of-n")
    measured_on: int = Field(256, ge=8, le=10_000, description="fresh pairs that every reward model is measured on")
    reward: TaughtConfig = TaughtConfig()
    ppo: DriftConfig = DriftConfig()
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes everything")


class FrontierConfig(Config):
    """One reward–KL plane: PPO, RLOO, GRPO and DPO on the same votes, best of n, at several strengths of the leash."""

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    annotator: str = Field("sunny", description=WHO_VOTES)
    votes: int = Field(1536, ge=16, le=100_000, description="comparisons to learn from")
    betas: tuple[Beta, ...] = Field((0.03, 0.1, 0.3), min_length=1, description="KL coefficients of PPO, RLOO and GRPO")
    dpo_betas: tuple[Price, ...] = Field((0.05, 0.1, 0.3), min_length=1, description="β of DPO")
    seeds: int = Field(1, ge=1, le=10, description="times each run is repeated, from other votes and seeds")
    updates: int = Field(20, ge=1, le=1000, description="updates of PPO, RLOO and GRPO")
    rollout_batch: int = Field(64, ge=4, le=1024, multiple_of=4, description="responses per update, in groups of four")
    best_of: int = Field(256, ge=0, le=4096, description=_BEST_OF)
    best_of_prompts: int = Field(24, ge=1, le=1000, description="held-out prompts for best-of-n")
    evaluation_prompts: int = Field(256, ge=4, le=10_000, description="held-out prompts every policy is measured on")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes everything")


class ClinicConfig(Config):
    """PPO runs that went wrong, beside one that did not: the same reward model, prompts and seed."""

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    annotator: str = Field("sunny", description=WHO_VOTES)
    failures: tuple[str, ...] = Field((), description="which failures to run (default: all of them)")
    votes: int = Field(512, ge=16, le=100_000, description="comparisons the reward model learns from")
    updates: int = Field(14, ge=2, le=1000, description="updates of each run")
    rollout_batch: int = Field(64, ge=4, le=1024, description="responses per update")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes everything")


class TastesConfig(Config):
    """Two opposed annotators under one scalar reward."""

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    annotator: str = Field("sunny", description="the first person; the second one wants exactly the opposite")
    shares: tuple[Portion, ...] = Field((0.0, 0.25, 0.5), min_length=1, description="shares of the second one's votes")
    votes: int = Field(1024, ge=16, le=100_000, description="votes of both together")
    measured_on: int = Field(512, ge=8, le=10_000, description="fresh pairs that the reward models are measured on")
    updates: int = Field(14, ge=1, le=1000, description="updates of PPO")
    rollout_batch: int = Field(64, ge=4, le=1024, description="responses per update")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes everything")
