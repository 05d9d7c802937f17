"""Configurations of simulated votes, the reward model, PPO and the whole loop. No torch."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core.config import Config
from core.errors import PlaygroundError
from core.feedback.annotators import annotator_classes
from core.language.configs import LORA_FROM
from core.language.registry import policy_info

_SEEDS = 2**31

JUDGE_FILE = "judge.txt"
"""In the folder of a PPO run: which weights pay it."""

WHO_VOTES = f"who votes: {', '.join(annotator_classes())}"

MICRO_BATCH = "a pass of an optimiser step, whose gradients add up (0: all at once): less memory, the same step"


def measuring_seed(seed: int) -> int:
    """The seed a run of `seed` is measured with: what is measured on shares no randomness with training."""
    return (seed + 1_000_003) % _SEEDS


def is_large(policy_id: str) -> bool:
    """Whether the policy is tuned through adapters. One whose size is not known yet is taken to be."""
    try:
        parameters = policy_info(policy_id).parameters
    except PlaygroundError:
        return False  # a wrong name is reported where it is used
    return parameters is None or parameters >= LORA_FROM


class SimulateConfig(Config):
    """Votes of a simulated annotator on pairs that a policy writes."""

    model: str = Field(
        "storyteller", description="policy that writes the responses: an id of `models`, a hub id or a folder"
    )
    annotator: str = Field("sunny", description=WHO_VOTES)
    prompts: str = Field(
        "",
        description="prompt set (stories, summaries, chat) or a text file, a prompt a line (default: the policy's own)",
    )
    pairs: int = Field(512, ge=8, le=100_000, description="comparisons to make")
    max_new_tokens: int = Field(32, ge=1, le=512, description="longest response, in tokens")
    temperature: float = Field(1.0, ge=0.05, le=5.0, description="sampling temperature")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes responses and votes")


class RewardConfig(Config):
    """Training a reward model on preference pairs with the pairwise ranking loss."""

    epochs: int = Field(1, ge=1, le=50, description="passes over the training pairs")
    batch_pairs: int = Field(16, ge=1, le=512, description="pairs per optimiser step")
    micro_batch: int = Field(0, ge=0, le=512, description=f"pairs {MICRO_BATCH}")
    learning_rate: float = Field(1e-3, gt=0, le=1e-1, description="AdamW's peak learning rate")
    head_learning_rate: float = Field(
        3e-3,
        gt=0,
        le=1.0,
        description="AdamW's peak learning rate of the score head (and the pooling block), which starts from nothing",
    )
    weight_decay: float = Field(0.01, ge=0, le=1, description="decoupled weight decay")
    warmup_share: float = Field(0.1, ge=0, le=1, description="share of the steps over which the learning rate rises")
    grad_clip: float = Field(1.0, gt=0, description="largest gradient norm")
    heldout_share: float = Field(0.1, ge=0, le=0.5, description="share of the prompts kept to measure with")
    max_tokens: int = Field(
        256, ge=8, le=4096, description="longest prompt + response, in tokens; longer ones lose their beginning"
    )
    evaluate_every: int = Field(
        0, ge=0, description="optimiser steps between held-out measurements (0: about five in all)"
    )
    patience: int = Field(
        0,
        ge=0,
        le=100,
        description="held-out measurements in a row without a lower log-loss after which training stops; the best "
        "weights are kept (0: all steps, the last weights)",
    )
    lora_rank: int = Field(
        8, ge=0, le=256, description="rank of the adapters, for models over 50M parameters (0: all weights are trained)"
    )
    pooling_after: int = Field(
        0,
        ge=0,
        le=256,
        description="blocks of the policy's trunk that are kept, under a new one that starts as the mean over the "
        "text: learns from far fewer votes on a large policy (0: the whole trunk, and no new block)",
    )
    weights_kept: int = Field(
        12, ge=0, le=64, description="times on the way that the weights are kept, for the loss surface (0: never)"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the head's start, the split and the order")


class LoopRewardConfig(RewardConfig):
    """Reward training as the whole loop runs it: no weights on the way, which would cost it seconds and 290 MB."""

    weights_kept: int = Field(
        0, ge=0, le=64, description="times on the way that the weights are kept, for the loss surface (0: never)"
    )


class OnPolicyConfig(Config):
    """What all methods have in common that learn from responses they have just written."""

    updates: int = Field(20, ge=1, le=10_000, description="rounds of sampling and optimising")
    rollout_batch: int = Field(64, ge=2, le=1024, description="responses per update")
    max_new_tokens: int = Field(32, ge=1, le=512, description="longest response, in tokens")
    temperature: float = Field(
        1.0, ge=0.05, le=5.0, description="sampling temperature; log-probabilities are taken at the same one"
    )
    learning_rate: float = Field(7e-5, gt=0, le=1e-2, description="AdamW's learning rate")
    lr_schedule: Literal["constant", "linear"] = Field(
        "constant", description="learning rate over the run: constant, or linearly down to zero"
    )
    epochs: int = Field(1, ge=1, le=20, description="passes over each rollout")
    minibatches: int = Field(8, ge=1, le=64, description="parts a pass is split into, one optimiser step each")
    micro_batch: int = Field(0, ge=0, le=1024, description=f"responses {MICRO_BATCH}")
    kl_coef: float = Field(0.055, ge=0, le=10, description="β: reward lost a nat of KL to the reference")
    cliprange: float = Field(0.2, gt=0, le=1, description="policy clip: beyond 1 ± this a ratio has no gradient")
    missing_end_penalty: float = Field(0.0, ge=0, description="score taken from a response that never ended")
    kl_budget: float | None = Field(
        None,
        gt=0,
        description="end the run when the responses of the last three updates have drifted so far on average, nats a "
        "response (none: never; PPO whose updates are not asked for: 5.5)",
    )
    grad_clip: float = Field(1.0, gt=0, description="largest gradient norm")
    lora_rank: int = Field(8, ge=1, le=256, description="rank of the adapters, for policies over 50M parameters")
    weights_every: int = Field(5, ge=0, description="updates between saved weights for looking back (0: none)")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes prompts, sampling and minibatches")


class PPOConfig(OnPolicyConfig):
    """Proximal policy optimisation of a language model against a reward model."""

    kl_estimator: Literal["k1", "k2", "k3"] = Field("k1", description="per-token KL estimate charged in the reward")
    kl_target: float | None = Field(
        None, gt=0, description="nats per response that β is adapted to hold (none: β is fixed)"
    )
    kl_horizon: float = Field(
        2000.0, gt=0, description="responses over which an adaptive β reacts; more than a fifth of an update's"
    )
    gamma: float = Field(1.0, ge=0, le=1, description="discount a token")
    lam: float = Field(0.95, ge=0, le=1, description="λ of generalised advantage estimation")
    cliprange_value: float = Field(0.2, gt=0, description="value clip, in normalised score")
    vf_coef: float = Field(0.1, ge=0, description="weight of the value loss")
    entropy_coef: float = Field(0.0, ge=0, le=1, description="weight of the entropy bonus")
    whiten_rewards: bool = Field(False, description="per-token rewards to standard deviation 1, their mean kept")
    whiten_advantages: bool = Field(
        True, description="advantages to mean 0, standard deviation 1 over the rollout's tokens"
    )
    target_kl: float | None = Field(
        None,
        gt=0,
        description="stop an update's epochs when the mean KL to the old policy passes this, in nats per token",
    )
    value_model: Literal["shared", "separate"] = Field(
        "shared", description="value head on the policy's trunk, or a model of its own"
    )
    head_learning_rate: float = Field(
        2e-3,
        gt=0,
        le=1.0,
        description="AdamW's learning rate of a value head on the policy's trunk, which starts from nothing; that of a "
        "separate critic starts as the reward model's, and learns at `learning_rate`",
    )
    watch_prompts: int = Field(
        4,
        ge=0,
        le=16,
        description="held-out prompts answered again and again, from the same random numbers, to be read",
    )
    watch_every: int = Field(4, ge=1, le=1000, description="updates between two such readings")
    look_again: bool = Field(
        True,
        description="read a rollout once more after its update, which the token microscope shows; a large model is "
        "tuned faster without",
    )

    @model_validator(mode="after")
    def _beta_stays_positive(self) -> Self:
        if self.kl_target is not None and self.kl_horizon <= 0.2 * self.rollout_batch:
            raise ValueError(
                f"kl_horizon {self.kl_horizon:g} is too short for a rollout_batch of {self.rollout_batch}: one update "
                f"could take all of β, so it must be above {0.2 * self.rollout_batch:g}"
            )
        return self

    @property
    def head_ratio(self) -> float:
        """How many times as fast as everything else the value head learns."""
        return self.head_learning_rate / self.learning_rate if self.value_model == "shared" else 1.0


KL_BUDGET = 5.5
"""Nats a response after which PPO has bought what it came for: seeds that learn fast would drift to 15 and beyond."""


class LoopPPOConfig(PPOConfig):
    """PPO as the whole loop runs it: until the policy has drifted as far as it may, however many updates that takes."""

    updates: int = Field(26, ge=1, le=10_000, description="rounds of sampling and optimising, at most")
    kl_budget: float | None = Field(
        KL_BUDGET,
        gt=0,
        description="end PPO when the responses of the last three updates have drifted so far on average, nats a "
        "response (none: never)",
    )


class GroupConfig(OnPolicyConfig):
    """Policy gradient without a critic: each response is judged against the others to the same prompt."""

    algorithm: Literal["rloo", "grpo"] = Field(
        "rloo",
        description="rloo: leave-one-out baseline, KL charged in the reward; grpo: group-relative, KL (k3) in the loss",
    )
    group_size: int = Field(4, ge=2, le=64, description="responses per prompt; divides the rollout")

    @model_validator(mode="after")
    def _whole_groups(self) -> Self:
        if self.rollout_batch % self.group_size:
            raise ValueError(f"rollout_batch {self.rollout_batch} is not a whole number of groups of {self.group_size}")
        return self


class DPOConfig(Config):
    """Direct preference optimisation: the policy learns from the pairs themselves."""

    beta: float = Field(0.1, gt=0, le=10, description="β: how dear a nat of departure from the reference is")
    epochs: int = Field(1, ge=1, le=50, description="passes over the pairs")
    batch_pairs: int = Field(16, ge=1, le=512, description="pairs per optimiser step")
    micro_batch: int = Field(0, ge=0, le=512, description=f"pairs {MICRO_BATCH}")
    learning_rate: float = Field(1e-4, gt=0, le=1e-2, description="AdamW's peak learning rate")
    warmup_share: float = Field(0.1, ge=0, le=1, description="share of the steps over which the learning rate rises")
    grad_clip: float = Field(1.0, gt=0, description="largest gradient norm")
    max_tokens: int = Field(256, ge=8, le=4096, description="longest prompt + response, in tokens")
    lora_rank: int = Field(8, ge=1, le=256, description="rank of the adapters, for policies over 50M parameters")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the split and the order")


LARGE_POLICY: dict[str, Any] = {
    "prompts": "chat",
    "pairs": 512,
    "evaluation_prompts": 100,
    "evaluation_pairs": 200,
    "reward": {
        "batch_pairs": 8,
        "lora_rank": 0,
        "pooling_after": 8,
        "learning_rate": 1e-4,
        "head_learning_rate": 1e-3,
    },
    "ppo": {
        "rollout_batch": 16,
        "minibatches": 2,
        "epochs": 2,
        "updates": 20,
        "learning_rate": 5e-4,
        "head_learning_rate": 5e-4,  # SmolLM2's loop wins .905 at 8.4 nats with it, and .81 at 10.3 with 2e-3
    },
}
"""What a loop does differently with a policy that is tuned through adapters, where nothing else is asked for.

Twenty times the work a token: fewer and shorter texts, and the higher learning rate that the policy's adapters need.
The reward model is trained whole, on the trunk's lower blocks and one that starts as the mean over the text: in
adapters, and from the last token of all blocks, it learned nothing from so few votes.
"""


def fitted(model: str, part: Literal["reward", "ppo"], given: Any) -> Any:
    """The settings given for `part`, with what a run of this policy usually has for those that are not.

    Of a large policy its own defaults; of PPO whose length is not asked for, that it ends where `KL_BUDGET` is spent.
    """
    if not isinstance(given, dict):
        return given
    large = LARGE_POLICY[part] if is_large(model) else {}
    budget = {"kl_budget": KL_BUDGET} if part == "ppo" and "updates" not in given else {}
    return large | budget | given


def usual_reward(model: str) -> RewardConfig:
    """What a reward model on `model` is trained with where nothing else is asked for."""
    return RewardConfig(**fitted(model, "reward", {}))


def usual_ppo(model: str) -> PPOConfig:
    """What `model` is tuned with where nothing else is asked for."""
    return PPOConfig(**fitted(model, "ppo", {}))


class LoopConfig(Config):
    """The whole loop: votes of a simulated annotator, reward model, PPO, and an honest measurement.

    Fields that are not given depend on the model: a large policy has `LARGE_POLICY` for its defaults.
    """

    model: str = Field("storyteller", description="policy to start from: an id of `models`, a hub id or a folder")
    annotator: str = Field("sunny", description=WHO_VOTES)
    prompts: str = Field(
        "",
        description="prompt set (stories, summaries, chat) or a text file, a prompt a line (default: the policy's own)",
    )
    pairs: int = Field(1536, ge=8, le=100_000, description="comparisons to learn from (large policies: 512)")
    reward: LoopRewardConfig = LoopRewardConfig()
    ppo: LoopPPOConfig = LoopPPOConfig()
    evaluation_prompts: int = Field(
        256,
        ge=4,
        le=10_000,
        description="held-out prompts compared, in turn when there are fewer (large policies: 100)",
    )
    evaluation_pairs: int = Field(
        2000, ge=50, le=100_000, description="fresh pairs reward accuracy is measured on (large policies: 200)"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes everything")
    first: str = Field(
        "", description="policy that the first of several rounds began with: KL is measured to it too (default: none)"
    )

    @model_validator(mode="before")
    @classmethod
    def _fit_to_policy(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not is_large(str(given.get("model", "storyteller"))):
            return given
        parts = {part: fitted(given["model"], part, given.get(part, {})) for part in ("reward", "ppo")}
        return LARGE_POLICY | given | parts
