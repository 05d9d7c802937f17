"""Early stopping: training ends when votes it never trains on stop getting likelier, and the best weights are kept."""

import math
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from core.language.adapters import load_trainable, trainable_state


@dataclass
class EarlyStopping:
    """Watches the held-out log-loss; with a patience of 0 it does nothing.

    The best weights were chosen by the held-out votes, whose figures then flatter them a little: fresh votes say how
    much. Source: Goodfellow, Bengio and Courville, "Deep learning" (2016), algorithm 7.1.
    """

    patience: int  # measurements in a row without a lower log-loss that end the training
    best: float = math.inf  # nats per vote
    best_step: int = 0
    stale: int = 0  # measurements since the best
    weights: dict[str, Tensor] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it watches at all."""
        return self.patience > 0

    @property
    def over(self) -> bool:
        """Whether its patience is at an end."""
        return self.active and self.stale >= self.patience

    def look(self, model: nn.Module, step: int, log_loss: float) -> None:
        """Take in the held-out log-loss behind `step`, keeping the weights when it is the lowest so far."""
        if not self.active:
            return
        if log_loss < self.best:
            self.best, self.best_step, self.stale, self.weights = log_loss, step, 0, trainable_state(model)
        else:
            self.stale += 1

    def restore(self, model: nn.Module) -> None:
        """Put the best weights back."""
        if self.weights:
            load_trainable(model, self.weights)

    def state(self) -> dict[str, Any]:
        """What `load` takes back."""
        return {"best": self.best, "best_step": self.best_step, "stale": self.stale, "weights": dict(self.weights)}

    def load(self, state: dict[str, Any]) -> None:
        """Stand where `state()` was taken."""
        self.best, self.best_step = state["best"], state["best_step"]
        self.stale, self.weights = state["stale"], dict(state["weights"])
