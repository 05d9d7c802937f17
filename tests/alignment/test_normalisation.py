"""The unit of the scores: of held-out texts where there are enough, of the policy's own samples where there are not."""

import pytest

from core.alignment.configs import measuring_seed
from core.alignment.normalisation import ENOUGH, normalisation_on
from core.alignment.reward_model import score
from core.feedback.pairs import PreferencePair
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from tests import tiny
from tests.alignment.test_reward_model import reward_model
from tests.alignment.test_reward_training import preferences

PAIRS = [PreferencePair(prompt, " a", f" b{n}") for n in range(2) for prompt in ("Once", "The sun")]


def measured(heldout):
    return normalisation_on(reward_model(), tiny.tokenizer(), heldout, PAIRS, tiny.gpt2(seed=3), "tiny", 7)


def mean_and_sd(prompts, responses):
    scores = score(reward_model(), tiny.tokenizer(), prompts, responses)
    return pytest.approx((scores.mean().item(), scores.std().item()), rel=1e-5)


def test_on_held_out_texts_where_they_are_enough_to_know_a_spread():
    pairs = preferences(ENOUGH)
    texts = [text for pair in pairs for text in (pair.chosen, pair.rejected)]
    found = measured(pairs)
    assert (found.mean, found.sd) == mean_and_sd([pair.prompt for pair in pairs for _ in range(2)], texts)
    assert found.base_model == "tiny"


@pytest.mark.parametrize("heldout", [0, 1, ENOUGH - 1])
def test_on_what_the_policy_writes_where_they_are_not(heldout):
    """Two held-out pairs say nothing: their four scores may lie anywhere, and the policy would be paid in that unit."""
    sampling = SamplingConfig(seed=measuring_seed(7))
    drawn = sample(tiny.gpt2(seed=3), tiny.tokenizer(), ["Once", "The sun"] * ENOUGH, sampling)
    found = measured(preferences(ENOUGH)[:heldout])
    assert (found.mean, found.sd) == mean_and_sd(drawn.prompts, drawn.responses)
