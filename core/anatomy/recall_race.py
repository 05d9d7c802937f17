"""The race: four networks learn to recall the token seen k steps ago, from the same sequences, step by step."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.anatomy.race_config import KINDS, Kind, RaceConfig
from core.anatomy.recall_networks import network
from core.language.randomness import uniforms_of_rows
from core.record import Record

FINAL = 2000  # fresh sequences the final accuracy is measured on: its standard error is 1.1 % at most
HELDOUT, _FINAL, _TRAINING = 0, 1, 2  # numbers of the draws: training steps come behind


def sequences(config: RaceConfig, draw: int, count: int) -> Tensor:
    """`count` sequences of independent uniform tokens, a function of (seed, draw, row) alone: ids [count, k + 1].

    The question stands at the last position, the answer is the token k steps before it: the first.
    """
    uniforms = uniforms_of_rows(config.seed, draw, range(count), config.distance + 1)
    return (uniforms * config.vocabulary).long()


def batch_of(config: RaceConfig, step: int) -> Tensor:
    """The sequences that every network learns from at optimiser step `step`, 1, 2, …: ids [batch, k + 1]."""
    return sequences(config, _TRAINING + step, config.batch)


def recall_loss(logits: Tensor, ids: Tensor) -> Tensor:
    """Cross-entropy of the token seen k steps ago, in nats; logits [batch, vocabulary], ids [batch, k + 1]."""
    return F.cross_entropy(logits, ids[:, 0])


def recall_accuracy(model: nn.Module, ids: Tensor) -> float:
    """Share of the sequences [count, k + 1] whose first token is the likeliest answer."""
    with torch.no_grad():
        return float((model(ids).argmax(-1) == ids[:, 0]).double().mean())


def influence(model: nn.Module, ids: Tensor) -> float:
    """How much the right answer's logit hangs on the wanted token: mean of ‖∂z/∂x_{T−k}‖ over ids [count, k + 1].

    x is that token's embedding, z the logits at the end: what any error at the end is multiplied by on its way back to
    where it is needed. In logits a unit of embedding; float32, so that 0 means less than 10⁻⁴⁵.
    """
    embedded: list[Tensor] = []
    hook = model.get_submodule("embedding").register_forward_hook(lambda _, given, out: embedded.append(out))
    with hook:
        logits = model(ids)
    answers = logits.gather(1, ids[:, :1]).sum()  # sequences do not mix: the sum's gradient is each one's own
    (gradient,) = torch.autograd.grad(answers, embedded)
    return float(gradient[:, 0].norm(dim=-1).double().mean())


class Runner:
    """One network and its optimiser."""

    def __init__(self, kind: Kind, config: RaceConfig) -> None:
        self.model = network(kind, config)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate(kind))
        self._clip = config.grad_clip

    def learn(self, ids: Tensor) -> tuple[float, float]:
        """One optimiser step on `ids`: the loss before it, and the gradient's norm before clipping."""
        loss = recall_loss(self.model(ids), ids)
        self.optimiser.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._clip)
        self.optimiser.step()
        return loss.item(), norm.item()

    def state(self) -> dict[str, Any]:
        """Weights and optimiser, to go on from."""
        return {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state()` gave."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])


def run_race(config: RaceConfig, state: dict[str, Any] | None = None) -> Iterator[Record]:
    """Race the four; a record every `measure_every` optimiser steps, which each network has then taken alike.

    Metrics of each: `loss/KIND` (nats, mean over the steps of the record), `grad_norm/KIND` (largest of them, before
    clipping), `accuracy/KIND` (held out), `influence/KIND` (of the wanted token on its answer; a held-out batch). The
    last record's result: final accuracy of each on 2,000 fresh sequences, and its number of weights. `state` is what an
    earlier record's `state()` gave: the records that followed it follow again, bit for bit.
    """
    runners = {kind: Runner(kind, config) for kind in KINDS}
    done = 0
    if state is not None:
        done = int(state["step"])
        for kind, runner in runners.items():
            runner.restore(state[kind])
    heldout = sequences(config, HELDOUT, config.heldout)
    while done < config.steps:
        until = min(config.steps, done + config.measure_every)
        batches = [batch_of(config, step) for step in range(done + 1, until + 1)]
        metrics: dict[str, float] = {}
        for kind, runner in runners.items():
            losses, norms = zip(*(runner.learn(ids) for ids in batches), strict=True)
            metrics[f"loss/{kind}"] = sum(losses) / len(losses)
            metrics[f"grad_norm/{kind}"] = max(norms)
            metrics[f"accuracy/{kind}"] = recall_accuracy(runner.model, heldout)
            metrics[f"influence/{kind}"] = influence(runner.model, heldout[: config.batch])
        done = until
        yield Record(
            step=done,
            stage="race",
            total=config.steps,
            metrics=metrics,
            state=partial(_state, done, runners),
            result=_result(config, runners) if done == config.steps else None,
        )


def _state(step: int, runners: dict[Kind, Runner]) -> dict[str, Any]:
    return {"step": step} | {str(kind): runner.state() for kind, runner in runners.items()}


def _result(config: RaceConfig, runners: dict[Kind, Runner]) -> dict[str, Any]:
    fresh = sequences(config, _FINAL, FINAL)
    return {
        "accuracy": {kind: recall_accuracy(runner.model, fresh) for kind, runner in runners.items()},
        "parameters": {
            kind: sum(weight.numel() for weight in runner.model.parameters()) for kind, runner in runners.items()
        },
    }
