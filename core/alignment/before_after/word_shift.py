"""Which words the tuning made more or less frequent, and how sure that is. No torch."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from core.alignment.before_after.estimates import Estimate
from core.feedback.words import words_in

RARE = 5  # responses: of a word that fewer hold, nothing is said


@dataclass(frozen=True)
class Shift:
    """One word: how many responses hold it before and after, and the log-odds ratio with its interval."""

    word: str
    before: int
    after: int
    log_odds: Estimate

    @property
    def reliable(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.log_odds.low > 0 or self.log_odds.high < 0


def log_odds(before: int, after: int, n_before: int, n_after: int, error: float = 0.05) -> Estimate:
    """log[ (a+½)/(n_a−a+½) ] − log[ (b+½)/(n_b−b+½) ]: a of n_a responses hold the word after, b of n_b before.

    Above 0: the word became more frequent. Interval: ± z · √( 1/(a+½) + 1/(n_a−a+½) + 1/(b+½) + 1/(n_b−b+½) ), with
    z for a two-sided error of `error`. The halves keep words finite that one side never uses. Source: Haldane (1956)
    and Anscombe (1956); Gart & Zweifel (1967), Biometrika 54:181, for the variance.
    """
    cells = [after + 0.5, n_after - after + 0.5, before + 0.5, n_before - before + 0.5]
    value = math.log(cells[0] / cells[1]) - math.log(cells[2] / cells[3])
    half = NormalDist().inv_cdf(1 - error / 2) * math.sqrt(sum(1 / cell for cell in cells))
    return Estimate(value, value - half, value + half)


def word_shifts(before: Sequence[str], after: Sequence[str]) -> list[Shift]:
    """Every word that at least 5 responses hold, the largest rise first and the largest fall last.

    Counted once a response, because a word written twice in one response is no second witness. The intervals are
    Bonferroni's: with W words compared, each has an error of 5 % / W, so that one of them all misleads in 5 % of cases.
    """
    held_before, held_after = (
        Counter(word for text in texts for word in set(words_in(text))) for texts in (before, after)
    )
    known = [word for word in {*held_before, *held_after} if held_before[word] + held_after[word] >= RARE]
    error = 0.05 / max(1, len(known))
    shifts = [
        Shift(
            word,
            held_before[word],
            held_after[word],
            log_odds(held_before[word], held_after[word], len(before), len(after), error),
        )
        for word in known
    ]
    return sorted(shifts, key=lambda shift: (-shift.log_odds.value, shift.word))
