"""How varied a set of texts is: distinct-n and self-BLEU. No torch."""

from collections import Counter
from collections.abc import Sequence

from core.alignment.before_after.estimates import Estimate, jackknifed, mean_of
from core.feedback.words import words_in

COMPARED = 64  # texts at most in self-BLEU, each against all others: its time grows with their square


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    """The runs of `n` words in `text`, in order; words as the simulated annotators count them."""
    found = words_in(text)
    return [tuple(found[first : first + n]) for first in range(len(found) - n + 1)]


def distinct_n(texts: Sequence[str], n: int) -> Estimate:
    """Different n-grams over all n-grams of the texts together: 1, nothing comes twice; near 0, all the same.

    It falls as texts get longer or more numerous, so only equal numbers of texts compare. The interval is the
    jackknife's over texts. 0 where no text has n words. Source: Li et al. (2016), "A diversity-promoting objective
    function for neural conversation models", section 5 (there scaled by the number of words generated).
    """
    each = [Counter(ngrams(text, n)) for text in texts]
    holders: Counter[tuple[str, ...]] = Counter(gram for counts in each for gram in counts)
    different, total = len(holders), sum(counts.total() for counts in each)
    if not total:
        return Estimate(0.0, 0.0, 0.0)
    without = []
    for counts in each:
        only_here = sum(holders[gram] == 1 for gram in counts)
        rest = total - counts.total()
        without.append((different - only_here) / rest if rest else 0.0)
    return jackknifed(different / total, without)


def self_bleu(texts: Sequence[str]) -> Estimate:
    """Mean BLEU of each text against all the others as references, 0 to 100: the higher, the more alike they are.

    Of the first 64 texts that are not blank. Sentence BLEU by sacrebleu, up to 4-grams, with its exponential smoothing
    and only the orders a short text has. The interval is of the mean over texts, as if the references were fixed.
    Source: Zhu et al. (2018), "Texygen: a benchmarking platform for text generation models", section 3.
    """
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(effective_order=True)
    compared = [text for text in texts if text.strip()][:COMPARED]
    if len(compared) < 2:
        return Estimate(0.0, 0.0, 0.0)
    return mean_of(
        [
            bleu.sentence_score(text, [*compared[:place], *compared[place + 1 :]]).score
            for place, text in enumerate(compared)
        ]
    )
