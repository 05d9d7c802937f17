"""How well a reward model's scores predict votes: accuracy, log-loss, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from core import processes
from core.alignment.reward_model import score
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare


@dataclass(frozen=True)
class CalibrationBin:
    """The pairs on which the model is about equally sure of its favourite."""

    confidence: float  # mean probability given to the favourite, ½ to 1
    accuracy: float  # how often the favourite was chosen
    pairs: int


@dataclass(frozen=True)
class PairReport:
    """How well scores predict votes. `log_loss` is in nats; `calibration_error` is expected, over the bins."""

    accuracy: float
    log_loss: float
    calibration_error: float
    pairs: int
    calibration: tuple[CalibrationBin, ...] = ()  # by rising confidence; empty bins are left out


def share_right(difference: Tensor) -> Tensor:
    """1 where the chosen text scores higher, ½ where both score the same, 0 elsewhere: [pairs] -> [pairs]."""
    return (difference > 0).double() + 0.5 * (difference == 0)


def report_pairs(chosen: Tensor, rejected: Tensor) -> PairReport:
    """Accuracy, log-loss and expected calibration error of P(chosen wins) = σ(r_w − r_l): [pairs] twice.

    An equal pair of scores counts half. Calibration: each pair once, from the side the model favours, so that the
    confidence is in [½, 1] and is compared with how often that side was chosen (Guo et al. 2017, eq. 3, ten bins of
    equal width).
    """
    difference = (chosen - rejected).double()
    correct = share_right(difference)
    confidence = difference.abs().sigmoid()
    places = ((confidence - 0.5) * 20).long().clamp(max=9)
    calibration = tuple(
        CalibrationBin(confidence[inside].mean().item(), correct[inside].mean().item(), int(inside.sum()))
        for inside in (places == place for place in places.unique())
    )
    error = sum(one.pairs * abs(one.confidence - one.accuracy) for one in calibration) / len(difference)
    loss = torch.nn.functional.softplus(-difference).mean()
    return PairReport(correct.mean().item(), loss.item(), error, len(difference), calibration)


def evaluate_pairs(model: nn.Module, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[PreferencePair]) -> PairReport:
    """`report_pairs` of a reward model on `pairs`."""
    prompts, texts = [pair.prompt for pair in pairs] * 2, [p.chosen for p in pairs] + [p.rejected for p in pairs]
    mine = processes.share(len(texts))
    scores = score(bare(model), tokenizer, prompts[mine], texts[mine]) if texts[mine] else torch.zeros(0)
    both = processes.whole(scores, len(texts))
    return report_pairs(both[: len(pairs)], both[len(pairs) :])
