"""The unit that a policy is paid in: its reward model's scores, in standard deviations of the reference's own texts."""

from collections.abc import Sequence
from itertools import cycle, islice

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import measuring_seed
from core.alignment.reward_model import Normalisation, score_statistics, statistics_of
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare
from core.language.configs import SamplingConfig
from core.language.context import context_of
from core.language.sampling import sample

ENOUGH = 32  # held-out pairs: the spread of their 64 texts is known to a tenth


def normalisation_on(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    heldout: Sequence[PreferencePair],
    pairs: Sequence[PreferencePair],
    policy: PreTrainedModel,
    base_model: str,
    seed: int,
) -> Normalisation:
    """Mean and standard deviation of the raw scores of `heldout`'s texts, which `model` was not trained on.

    Of a policy's own pairs, these are the reference's samples. Where there are fewer than `ENOUGH`, as many texts are
    drawn from `policy` as would be, to the prompts of `pairs` in turn: the spread of a handful is chance, that of what
    the model was trained on is wider than of any other texts. After 10 votes the unit came out up to eight times too
    small with the one, twice too large with the other.
    """
    if len(heldout) >= ENOUGH:
        return Normalisation(*score_statistics(model, tokenizer, heldout), base_model)
    length = min(SamplingConfig().max_new_tokens, context_of(policy) // 2)
    sampling = SamplingConfig(max_new_tokens=length, seed=measuring_seed(seed))
    prompts = dict.fromkeys(pair.prompt for pair in pairs)
    drawn = sample(policy, tokenizer, list(islice(cycle(prompts), 2 * ENOUGH)), sampling)
    return Normalisation(*statistics_of(bare(model), tokenizer, drawn.prompts, drawn.responses), base_model)
