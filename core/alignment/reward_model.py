"""The reward model: a separate transformer that gives a text one number, and what it learns from preferences."""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from core.alignment.pooling_block import can_pool, start_as_mean, trunk_below
from core.errors import PlaygroundError
from core.feedback.pairs import PreferencePair
from core.language.adapters import bare
from core.language.context import context_of
from core.language.packed_weights import packed
from core.language.precision import suit_processor
from core.language.queries import last_tokens
from core.language.tokens import text_of

_log = logging.getLogger(__name__)


def pairwise_loss(chosen: Tensor, rejected: Tensor, margin: float | Tensor = 0.0) -> Tensor:
    """The pairwise ranking loss −log σ(r_w − r_l − m), averaged over pairs: [pairs] twice -> [].

    Its gradient in r_w is σ(r_w − r_l − m) − 1, and the opposite in r_l: only the difference matters, and a confident
    mistake pulls hardest. Source: Bradley & Terry (1952); Ouyang et al., "Training language models to follow
    instructions with human feedback" (2022), eq. 1.
    """
    return -F.logsigmoid(chosen - rejected - margin).mean()


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of raw scores on the reference policy's samples, and which policy that was."""

    mean: float = 0.0
    sd: float = 1.0
    base_model: str = ""


class Rater(Protocol):
    """What pays a policy: one reward model, or several as one (`pooled_reward`)."""

    @property
    def critic_start(self) -> "RewardModel":
        """Where a separate critic starts from: trunk, score head, and the units of the scores."""

    def rate(self, prompts: Sequence[str], responses: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Scores of responses, raw and normalised: [N] each."""


@dataclass(frozen=True)
class RewardModel:
    """A reward model with what is needed to use it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    normalisation: Normalisation = Normalisation()

    @property
    def critic_start(self) -> "RewardModel":
        """Where a separate critic starts from: this very model."""
        return self

    def normalise(self, scores: Tensor) -> Tensor:
        """Scores in standard deviations of the reference policy's: what PPO is paid in."""
        return (scores - self.normalisation.mean) / self.normalisation.sd

    def rate(self, prompts: Sequence[str], responses: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Scores of responses, raw and normalised: [N] each."""
        raw = score(self.model, self.tokenizer, prompts, responses)
        return raw, self.normalise(raw)


def check_can_judge(config: PreTrainedConfig) -> None:
    """Raises PlaygroundError for a family of policies that transformers gives no head for scores."""
    name = config.name_or_path or "this policy"
    lacking = f"{name}: transformers has no sequence classifier of the {config.model_type} family"
    if config.model_type not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES:
        raise PlaygroundError(f"{lacking}, so no reward model can be made of it: take another policy")
    with torch.device("meta"):  # its parts, without weights
        model = AutoModelForSequenceClassification.from_config(config)
    if not isinstance(getattr(model, "score", None), nn.Linear):  # BERT's and CTRL's are asked in other ways
        raise PlaygroundError(
            f"{lacking} that scores a text at its end, so no reward model can be made of it: take another policy"
        )


def new_reward_model(
    policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, pooling_after: int = 0
) -> PreTrainedModel:
    """A sequence classifier with one label on a copy of the policy's trunk; the score head starts at zero.

    `pooling_after`: so many of the trunk's blocks, and on them one that starts as the mean over the text
    (`pooling_block`); 0, and families that it does not know: the whole trunk and nothing more.

    The pad token is a dedicated one: with pad = end token a classifier would skip the end token when it looks for the
    last token of a text. Raises PlaygroundError where the tokenizer has none, or the family no classifier.
    """
    check_can_judge(policy.config)
    if tokenizer.pad_token_id is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise PlaygroundError("a reward model needs a pad token of its own, different from the end token")
    config = copy.deepcopy(policy.config)
    config.num_labels = 1
    config.problem_type = "regression"  # otherwise a pipeline squashes the score through a sigmoid
    config.pad_token_id = tokenizer.pad_token_id
    kept = min(pooling_after, config.num_hidden_layers) if can_pool(policy) else 0
    if kept:
        config.num_hidden_layers, config.pooling_after = kept + 1, kept
        if getattr(config, "layer_types", None):
            config.layer_types = [*config.layer_types[:kept], "full_attention"]
    model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    if kept:
        model.base_model.load_state_dict(trunk_below(policy, kept), strict=False)
        start_as_mean(model)
    else:
        model.base_model.load_state_dict(policy.base_model.state_dict())
    torch.nn.init.zeros_(model.score.weight)
    suit_processor(model.to(policy.device))
    return model.eval()


def encode_texts(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], responses: Sequence[str], max_tokens: int
) -> list[list[int]]:
    """Token ids of prompt + response as one text, nothing added by hand; a longer one loses its beginning, and
    that is said once.

    A text may spell out the padding token. At its end that is no part of it: a classifier of transformers is asked at
    the last token that is not padding, and so is ours.
    """
    texts = [prompt + response for prompt, response in zip(prompts, responses, strict=True)]
    if not texts:
        return []
    read = [_without_padding(ids, tokenizer.pad_token_id) for ids in tokenizer(texts, truncation=False)["input_ids"]]
    if any(len(ids) > max_tokens for ids in read):
        _tell_cut(max_tokens)
    return [last_tokens(tokenizer, ids, max_tokens) for ids in read]


@cache
def _tell_cut(max_tokens: int) -> None:
    """Said once a process, not for every text."""
    _log.warning("A text is longer than the %d tokens that are read of one: only its end is read.", max_tokens)


def _without_padding(ids: list[int], pad_id: int | None) -> list[int]:
    end = len(ids)
    while end and ids[end - 1] == pad_id:
        end -= 1
    return ids[:end]


def pad_right(sequences: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids and mask padded on the right: [batch, longest] each. An empty text becomes a single pad token."""
    longest = max(1, max(len(ids) for ids in sequences))
    input_ids = torch.full((len(sequences), longest), pad_id)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, ids in enumerate(sequences):
        input_ids[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
        mask[row, : len(ids)] = 1
    mask[:, 0] = 1
    return input_ids.to(device), mask.to(device)


def raw_scores(model: PreTrainedModel, input_ids: Tensor, mask: Tensor) -> Tensor:
    """The classifier's logit, float32: [batch, time] -> [batch].

    Under autocast the head is in float32 all the same: the loss is of differences, which bfloat16 would round away.
    """
    device = input_ids.device.type
    if torch.is_autocast_enabled(device):
        states = model.base_model(input_ids=input_ids, attention_mask=mask, use_cache=False).last_hidden_state
        last = states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
        with torch.autocast(device, enabled=False):
            logits: Tensor = model.score(last.float())  # type: ignore[operator]
        return logits[:, 0].float()
    return model(input_ids=input_ids, attention_mask=mask, use_cache=False).logits[:, 0].float()


def longest_read(model: PreTrainedModel) -> int:
    """Tokens of a text that are read, its last ones: as many as in training, or the context of a model of others'."""
    return min(getattr(model.config, "max_text_tokens", None) or context_of(model), context_of(model))


@torch.no_grad()
def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    responses: Sequence[str],
    batch_size: int = 64,
) -> Tensor:
    """Raw scores of responses, the one definition used everywhere: the logit on `tokenizer(prompt + response)`. [N].

    Batched by length, so that little is spent on padding; the order of the answer is the order given.
    """
    encoded = encode_texts(tokenizer, prompts, responses, longest_read(model))
    if not encoded:
        return torch.zeros(0)
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i]))
    scores = torch.zeros(len(encoded))
    batches = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    most = max((len(batch) * len(encoded[batch[-1]]) for batch in batches), default=0)
    reader = packed(model, rows=most, steps=len(batches))
    for batch in batches:
        input_ids, mask = pad_right([encoded[i] for i in batch], tokenizer.pad_token_id, model.device)
        scores[batch] = raw_scores(reader, input_ids, mask).cpu()
    return scores


@torch.no_grad()
def running_scores(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, response: str
) -> list[tuple[str, float]]:
    """The score the text would have if it stopped after each token: (token's text, raw score) pairs.

    One causal pass gives them all: the head is applied at every position instead of the last alone.
    """
    ids = encode_texts(tokenizer, [prompt], [response], longest_read(model))[0]
    if not ids:
        return []
    hidden = model.base_model(torch.tensor([ids], device=model.device), use_cache=False).last_hidden_state
    logits = model.get_submodule("score")(hidden)[0, :, 0].float()
    return [(text_of(tokenizer, token), value) for token, value in zip(ids, logits.tolist(), strict=True)]


def score_statistics(
    model: nn.Module, tokenizer: PreTrainedTokenizerBase, pairs: Sequence[PreferencePair]
) -> tuple[float, float]:
    """Mean and standard deviation of the raw scores of every response in `pairs`."""
    texts = [pair.chosen for pair in pairs] + [pair.rejected for pair in pairs]
    return statistics_of(bare(model), tokenizer, [pair.prompt for pair in pairs] * 2, texts)


def statistics_of(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: Sequence[str], responses: Sequence[str]
) -> tuple[float, float]:
    """Mean and standard deviation of raw scores."""
    scores = score(model, tokenizer, prompts, responses)
    return scores.mean().item(), max(scores.std().item(), 1e-6)
