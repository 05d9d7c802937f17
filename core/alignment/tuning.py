"""What PPO, RLOO and GRPO have in common: their updates one by one, what may change on the way, where to go on."""

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.alignment.configs import OnPolicyConfig
from core.alignment.ppo_metrics import outcome
from core.feedback.annotators import Annotator
from core.language.adapters import load_trainable, trainable_state
from core.language.configs import SamplingConfig
from core.language.sampling import Rollout
from core.language.snapshots import save_snapshot
from core.record import Controls, Record

DRIFT_OVER = 3  # updates whose mean drift is held against the KL budget


class Tuning:
    """One run's updates. `kl_coef` and `learning_rate` are those of now: controls and an adaptive β move them."""

    def __init__(
        self,
        model: nn.Module,
        config: OnPolicyConfig,
        state: dict[str, Any] | None,
        head: nn.Module | None = None,
        head_ratio: float = 1.0,
    ) -> None:
        """`model` is everything that is trained and saved. `state` is what an earlier record's `state()` gave.

        `head` is the part of it that learns `head_ratio` times as fast, for it starts from nothing.
        """
        self._model, self._config, self._started = model, config, time.monotonic()
        self.trained = [p for p in model.parameters() if p.requires_grad]
        fast = list(head.parameters()) if head is not None else []
        slow = [p for p in self.trained if not any(p is one for one in fast)]
        self._parts = ((slow, 1.0), (fast, head_ratio)) if fast else ((slow, 1.0),)
        self.optimizer = torch.optim.AdamW(
            [{"params": part} for part, _ in self._parts],
            lr=config.learning_rate,
            eps=1e-5,
            weight_decay=0.0,
            fused=True,
        )
        self.kl_coef, self.learning_rate = config.kl_coef, config.learning_rate
        self._done, self._ended = 0, False
        self._drift: list[float] = []  # exact KL of the newest updates' responses, nats per response
        if state:
            load_trainable(model, state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.kl_coef, self.learning_rate = state["kl_coef"], state["learning_rate"]
            self._done, self._ended = state["update"], state["ended"]
            self._drift = list(state.get("drift", []))

    @property
    def sampling(self) -> SamplingConfig:
        """How responses are drawn to be learnt from."""
        return SamplingConfig(
            temperature=self._config.temperature,
            max_new_tokens=self._config.max_new_tokens,
            seed=self._config.seed,
            batch_size=min(512, self._config.rollout_batch),
        )

    @property
    def rate(self) -> float:
        """The policy's learning rate in this update, after the schedule."""
        return float(self.optimizer.param_groups[0]["lr"])

    def updates(self, controls: Controls) -> Iterator[int]:
        """The numbers of the updates that are left, from 1; before each, what was changed from outside holds."""
        while not self._ended and self._done < self._config.updates:
            update = self._done + 1
            changes = controls(update)
            self.learning_rate = changes.get("learning_rate", self.learning_rate)
            self.kl_coef = changes.get("kl_coef", self.kl_coef)
            left = 1 - (update - 1) / self._config.updates if self._config.lr_schedule == "linear" else 1.0
            for group, (_, ratio) in zip(self.optimizer.param_groups, self._parts, strict=True):
                group["lr"] = self.learning_rate * ratio * left
            yield update

    def is_last(self, update: int, metrics: dict[str, float]) -> bool:
        """Whether this update is the run's last: by number, or because its KL budget is spent.

        Spent is what the last few updates' responses have drifted on average: those of one alone, some dozens, say it
        to within a nat, and a run that waits for a lucky one goes two nats too far.
        """
        newest = self._newest(metrics)
        spent = self._config.kl_budget is not None and sum(newest) / len(newest) >= self._config.kl_budget
        return update == self._config.updates or spent

    def _newest(self, metrics: dict[str, float]) -> list[float]:
        """The drift of the last few updates, this one's the last."""
        return [*self._drift, metrics["objective/kl_exact"]][-DRIFT_OVER:]

    def record(
        self,
        update: int,
        stage: str,
        policy: nn.Module,
        rollout: Rollout,
        tensors: dict[str, Tensor],
        metrics: dict[str, float],
        samples: list[dict[str, Any]],
    ) -> Record:
        """The record of an update that is done; behind the last one there are no more."""
        self._done, self._ended = update, self.is_last(update, metrics)
        self._drift = self._newest(metrics)
        every = self._config.weights_every
        due = every and (self._ended or update % every == 0)
        return Record(
            step=update,
            metrics=metrics,
            stage=stage,
            total=update if self._ended else self._config.updates,
            samples=samples,
            rollout=tensors | {"query_ids": rollout.query_ids, "query_mask": rollout.query_mask},
            state=partial(self._state, update, self.kl_coef, self.learning_rate, self._ended, self._drift),
            snapshot=partial(save_snapshot, policy) if due else None,
            result=outcome(metrics, time.monotonic() - self._started) if self._ended else None,
        )

    def _state(
        self, update: int, kl_coef: float, learning_rate: float, ended: bool, drift: list[float]
    ) -> dict[str, Any]:
        return {
            "model": trainable_state(self._model),
            "optimizer": self.optimizer.state_dict(),
            "kl_coef": kl_coef,
            "learning_rate": learning_rate,
            "update": update,
            "ended": ended,
            "drift": drift,
        }


def prompts_of_update(prompts: Sequence[str], config: OnPolicyConfig, update: int) -> list[str]:
    """The prompts of one update: every prompt is used once before any is used again, in an order made from the seed."""
    chosen: list[str] = []
    for position in range((update - 1) * config.rollout_batch, update * config.rollout_batch):
        epoch, place = divmod(position, len(prompts))
        if place == 0 or not chosen:
            order = np.random.default_rng((config.seed, epoch)).permutation(len(prompts))
        chosen.append(prompts[order[place]])
    return chosen


def measured_gold(gold: Annotator | None, rollout: Rollout) -> dict[str, float]:
    """The annotator's mean true utility of the responses, where it is known: measured and never trained on."""
    if gold is None:
        return {}
    utilities = [gold.utility(p, r) for p, r in zip(rollout.prompts, rollout.responses, strict=True)]
    return {"objective/gold": float(np.mean(utilities))}
