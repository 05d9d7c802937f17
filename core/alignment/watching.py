"""The same few prompts, answered from the same random numbers as the policy changes: what changes is the policy."""

from collections.abc import Sequence
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.reward_model import Rater
from core.feedback.annotators import Annotator
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from core.record import WATCHED


def watch(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    reward_model: Rater,
    prompts: Sequence[str],
    sampling: SamplingConfig,
    update: int,
    gold: Annotator | None = None,
) -> list[dict[str, Any]]:
    """A sample a prompt, {kind, update, prompt, response, score} and `gold` where it is known, after `update` updates.

    The random numbers are those of row r in update 0, whatever `update` is: two readings differ only where the policies
    do (core.language.randomness). The score is normalised, as in training. Nothing here touches the training's own
    numbers: a run with watched prompts has the curve of one without.
    """
    if not prompts:
        return []
    written = sample(policy, tokenizer, prompts, sampling)
    _, scores = reward_model.rate(written.prompts, written.responses)
    rows = []
    for prompt, response, score in zip(written.prompts, written.responses, scores.tolist(), strict=True):
        row = {"kind": WATCHED, "update": update, "prompt": prompt, "response": response, "score": score}
        rows.append(row if gold is None else row | {"gold": gold.utility(prompt, response)})
    return rows
