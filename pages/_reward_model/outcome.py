"""What a reward model is worth, from the numbers recorded while it learned: the claim, the figures, the calibration."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.alignment.calibration_reading import error_by_chance, sureness
from core.figures.calibration import calibration
from core.share import Share
from pages._parts import theme
from pages._parts.series import Row, values_of
from pages._parts.state import FEW, predicted

_FEW = 100  # votes below which a share is told with their number: it may be off by ten points either way
GUESSING = math.log(2)  # nats: the log-loss of saying one half to every pair


@dataclass(frozen=True)
class Worth:
    """What is known of a reward model on votes it has not seen."""

    accuracy: float
    log_loss: float | None
    calibration_error: float | None
    calibration: Sequence[Mapping[str, float]]
    pairs: int | None  # how many votes that was measured on, where it was said
    fresh: bool = False  # whether on pairs written for it, and not on votes held out of training
    ceiling: float | None = None  # accuracy that the annotator's own noise allows; known of simulated ones
    skill: float | None = None  # (accuracy − ½) / (ceiling − ½)


def worth(rows: Sequence[Row], result: Mapping[str, Any] | None) -> Worth | None:
    """The best measurement there is: a loop's on fresh pairs, else the run's own on what it held out, else None."""
    result = result or {}
    if "reward_accuracy" in result:
        bins = result.get("reward_calibration", ())
        return Worth(
            result["reward_accuracy"],
            result.get("reward_log_loss"),
            result.get("reward_calibration_error"),
            bins,
            sum(row["pairs"] for row in bins) or None,
            fresh=True,
            ceiling=result.get("reward_accuracy_ceiling"),
            skill=result.get("reward_skill"),
        )
    accuracy = values_of(rows, "heldout/accuracy")
    if not accuracy:
        return None

    def kept(name: str) -> float | None:
        """Of the weights that were kept, which early stopping may have taken from an earlier step."""
        values = values_of(rows, f"heldout/{name}")
        return result.get(f"{name}_heldout") or (values[-1] if values else None)

    return Worth(
        kept("accuracy") or accuracy[-1],
        kept("log_loss"),
        kept("calibration_error"),
        result.get("calibration", ()),
        result.get("pairs_heldout"),
    )


def claim(measured: Worth | None, moving: bool) -> str:
    """One sentence that the measured numbers make, whatever they are; none of them while they still change."""
    if moving:
        return "Here it learns to say which of two responses people prefer: watch it on votes it never trains on."
    if measured is None:
        return (
            "A separate transformer learns to say which of two responses people prefer. No vote was held out to "
            "measure it with."
        )
    accuracy, pairs = measured.accuracy, measured.pairs
    if not _beats_guessing(measured):
        return (
            f"It predicts {_of(accuracy, pairs)} vote{'' if pairs == 1 else 's'} it has never seen: no better than "
            "guessing, as far as so few can tell. More pairs would help."
        )
    best = f" The annotator's own noise allows {measured.ceiling:.0%} at best." if measured.ceiling else ""
    told = pairs if pairs and pairs < _FEW else None
    return f"It predicts {_of(accuracy, told)} votes it has never seen; guessing would get 50%.{best}"


def _of(accuracy: float, pairs: int | None) -> str:
    """The share, and of how many where that is told."""
    if pairs and pairs < FEW:
        return predicted(accuracy, pairs)
    return f"{accuracy:.0%} of {pairs}" if pairs else f"{accuracy:.0%} of"


def _beats_guessing(measured: Worth) -> bool:
    """Whether more votes are predicted than chance alone would make it; taken as said where their number is not."""
    pairs = measured.pairs
    return not pairs or Share(round(measured.accuracy * pairs), pairs).interval[0] > 0.5


def figures(measured: Worth, result: Mapping[str, Any] | None) -> None:
    """Accuracy, log-loss and calibration on unseen votes, each beside what guessing gets; the reliability diagram."""
    result = result or {}
    if measured.pairs and measured.pairs < FEW:
        st.info(_too_few(measured.pairs, round(measured.accuracy * measured.pairs)))
        return
    told = _beats_guessing(measured)
    cells = st.columns(4)
    points = f"{100 * (measured.accuracy - 0.5):+.1f} points against guessing"
    cells[0].metric("Held-out accuracy", f"{measured.accuracy:.1%}", points, delta_color="normal" if told else "off")
    if measured.log_loss is not None:
        cells[1].metric(
            "Held-out log-loss",
            f"{measured.log_loss:.3f}",
            f"{measured.log_loss - GUESSING:+.3f} against guessing",
            delta_color="inverse" if told else "off",
            help="nats per vote; log 2 ≈ 0.693 for saying one half every time",
        )
    if measured.calibration_error is not None:
        cells[2].metric(
            "Calibration error",
            f"{measured.calibration_error:.1%}",
            f"{error_by_chance(measured.calibration):.1%} by chance alone" if measured.calibration else None,
            delta_color="off",
            delta_arrow="off",
            help="mean gap between the probability it gives and how often it is right; by chance alone: what a model "
            "would show on as many votes if each of these probabilities were exactly right",
        )
    if measured.skill is not None:
        cells[3].metric(
            "Skill",
            f"{measured.skill:.0%}",
            help="of the way from guessing to the best that the annotator's noise allows",
        )
    elif result.get("pairs_per_second"):
        cells[3].metric(
            "Speed", f"{result['pairs_per_second']:.0f} pairs/s", help=f"{result.get('seconds', 0):.0f} s in all"
        )
    if measured.fresh and measured.pairs:
        st.caption(
            f"Of {measured.pairs:,} pairs that the policy wrote and the annotator voted on for this measurement. The "
            "curves, the heaps and the mistakes are of the votes held out of training: other pairs, so other figures."
        )
    if measured.calibration:
        _reliability(measured.calibration)


def _too_few(pairs: int, right: int) -> str:
    """Instead of figures that a single vote would turn round."""
    votes = "1 vote was" if pairs == 1 else f"{pairs} votes were"
    return (
        f"{votes} held out, and it predicts {right} of {'it' if pairs == 1 else 'them'}: too few to judge it by. With "
        f"{FEW} held out accuracy and calibration stand here; train on more votes, or mix in a simulated annotator's."
    )


def _reliability(bins: Sequence[Mapping[str, float]]) -> None:
    st.subheader("Is it as sure as it should be?", anchor=False)
    picture, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        st.plotly_chart(
            calibration(bins, theme.dark()),
            config={"displayModeBar": False},
            key="calibration",
            alt="Reliability diagram: probability the model gives its favourite against how often that one was chosen",
        )
    found = sureness(bins)
    if abs(found.gap) <= 0.02:
        lean = "On average it is **as sure as it should be**"
    elif not found.real:
        lean = "On average it may be as sure as it should be"
    else:
        lean = f"On average it is **{'too sure' if found.gap > 0 else 'not sure enough'}**"
    chance = "" if found.real else f"; on so many votes chance alone makes {100 * found.by_chance:.1f} either way"
    words.markdown(
        f"{lean}: the probability it gives its favourite is {abs(100 * found.gap):.1f} points "
        f"{'above' if found.gap > 0 else 'below'} how often that one was chosen{chance}. "
        "On the dashed line, of all votes given 80%, four in five go that way. Larger marks stand for more votes; "
        "small ones are noise."
    )
