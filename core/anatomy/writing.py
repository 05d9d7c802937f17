"""A response as it is written: each token with its probability, what else could have come, and how open it was."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.anatomy.next_token import entropy
from core.errors import PlaygroundError
from core.language.configs import SamplingConfig
from core.language.context import check_response_fits, context_of
from core.language.kv_cache import PreallocatedCache
from core.language.randomness import uniforms_of_rows
from core.language.registry import apply_chat_template
from core.language.sampling import draw, encode_queries, filter_logits, next_logits
from core.language.tokens import text_behind, token_of

ALTERNATIVES = 8


@dataclass(frozen=True)
class Alternative:
    """One token that could be drawn."""

    id: int
    piece: str
    probability: float


@dataclass(frozen=True)
class Written:
    """One token of a response."""

    id: int
    piece: str
    text: str  # what it adds to the response: empty in the middle of a character
    probability: float  # in the distribution that is drawn from: after temperature, top-k and top-p
    entropy: float  # of that distribution, in nats
    uniform: float  # the random number that chose it
    alternatives: tuple[Alternative, ...]  # the likeliest, itself among them when it is one of those
    chosen: bool  # by the reader, not by the random number
    end: bool  # the end token


def write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompt: str,
    config: SamplingConfig,
    chosen: Mapping[int, int] | None = None,
    begun: Sequence[Written] = (),
) -> Iterator[Written]:
    """The response to `prompt`, a token at a time, until its end token or `config.max_new_tokens`.

    Place t is drawn by inverse CDF on uniform t of row 0, as `core.language.sampling.sample` draws it: with nothing
    `chosen` the text is that function's. `chosen` gives the token of some places instead; what comes behind it is drawn
    on the same uniforms as before, so that two branches differ by the choice alone. `begun` is how the response begins,
    as another branch has written it: it is read at once instead of being written again.

    Raises PlaygroundError for a prompt and length that do not fit the context, and tokens outside the vocabulary.
    """
    length, context = config.max_new_tokens, context_of(model)
    check_response_fits(length, context)
    for token in (chosen or {}).values():
        if not 0 <= token < int(model.config.vocab_size):
            raise PlaygroundError(f"there is no token {token}: ids run from 0 to {int(model.config.vocab_size) - 1}")
    query = encode_queries(tokenizer, [apply_chat_template(tokenizer, prompt)], context - length)[0]
    return _tokens(model, tokenizer, query, config, dict(chosen or {}), begun)


class Writing:
    """A response that is written on demand and remembered: many readers may ask for it, at any length."""

    def __init__(self, tokens: Iterator[Written]):
        self._tokens = tokens
        self._written: list[Written] = []
        self._lock = threading.Lock()
        self._done = False

    def first(self, count: int) -> tuple[list[Written], bool]:
        """The first `count` tokens, written now where they are not there yet; and whether nothing follows them."""
        with self._lock:
            while len(self._written) < count and not self._done:
                token = next(self._tokens, None)
                if token is None:
                    self._done = True
                else:
                    self._written.append(token)
                    self._done = token.end
            shown = self._written[:count]
            return shown, self._done and len(shown) == len(self._written)


def _tokens(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    query: Tensor,
    config: SamplingConfig,
    chosen: Mapping[int, int],
    begun: Sequence[Written],
) -> Iterator[Written]:
    length = config.max_new_tokens
    uniforms = uniforms_of_rows(config.seed, 0, [0], length)
    cache = PreallocatedCache(model.config, query.shape[1] + length)
    written = [token.id for token in begun]
    said = "".join(token.text for token in begun)
    step = torch.cat([query, torch.tensor([written], dtype=torch.long)], dim=1).to(model.device)
    place = torch.arange(step.shape[1])
    yield from begun
    for t in range(len(written), length):
        logits = _logits_behind(model, step, place, cache)
        logits = filter_logits(logits.float() / config.temperature, config.top_k, config.top_p)
        drawn, _ = draw(logits.cpu(), uniforms[:, t])
        token = chosen.get(t, int(drawn))
        written.append(token)
        end = token == tokenizer.eos_token_id
        now = said if end else text_behind(tokenizer, int(query[0, -1]), written).rstrip("\ufffd")
        yield _written(tokenizer, logits[0], token, now[len(said) :], float(uniforms[0, t]), t in chosen, end)
        if end and config.stop_at_end:
            return
        said = now
        step, place = torch.tensor([[token]], device=model.device), place[-1:] + 1


@torch.no_grad()
def _logits_behind(model: PreTrainedModel, step: Tensor, place: Tensor, cache: PreallocatedCache) -> Tensor:
    everything = torch.ones(1, int(place[-1]) + 1, dtype=torch.long, device=step.device)
    return next_logits(model, step, everything, place.unsqueeze(0).to(step.device), cache)


def _written(
    tokenizer: PreTrainedTokenizerBase, logits: Tensor, token: int, text: str, uniform: float, chosen: bool, end: bool
) -> Written:
    probabilities = logits.softmax(-1)
    best = probabilities.topk(min(ALTERNATIVES, int(probabilities.count_nonzero())))
    pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
    return Written(
        id=token,
        piece=token_of(tokenizer, token).piece,
        text=text,
        probability=float(probabilities[token]),
        entropy=entropy(probabilities),
        uniform=uniform,
        alternatives=tuple(Alternative(i, token_of(tokenizer, i).piece, p) for i, p in pairs),
        chosen=chosen,
        end=end,
    )
