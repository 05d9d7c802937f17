"""What both sides of a comparison work on: the same untrained models, the same tokens, made from one seed."""

import json
import random
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel, PreTrainedTokenizerBase

CASES = json.loads((Path(__file__).parent / "cases.json").read_text())
MARK = 300  # the token that every chosen text of the reward case has in its middle: something to learn


def make(folder: Path) -> None:
    """`policy`, `reward` and `tokens.pt` in `folder`. Untrained weights cost what trained ones do, and never end."""
    from core.feedback.prompts import load_prompts
    from core.language.registry import load_policy

    _, tokenizer = load_policy("storyteller")
    shape: dict[str, Any] = CASES["model"]
    ends = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    for name, kind, more in (
        ("policy", GPT2LMHeadModel, {}),
        ("reward", GPT2ForSequenceClassification, {"num_labels": 1, "problem_type": "regression"}),
    ):
        torch.manual_seed(CASES["seed"])
        kind(GPT2Config(**shape, **ends, **more)).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    text = "\n".join(load_prompts("stories").train)
    torch.save(torch.tensor(tokenizer(text, add_special_tokens=False)["input_ids"]), folder / "tokens.pt")


def queries(tokens: list[int], count: int, length: int) -> list[list[int]]:
    """`count` prompts of `length` tokens."""
    return [tokens[(i * 37) % (len(tokens) - length) :][:length] for i in range(count)]


def preference_ids(tokens: list[int]) -> list[tuple[list[int], list[int]]]:
    """The reward case's pairs as token ids, chosen and rejected."""
    rng, (low, high) = random.Random(CASES["seed"]), CASES["reward"]["tokens_a_side"]

    def text(place: int) -> list[int]:
        return tokens[(place * 53) % (len(tokens) - high) :][: rng.randint(low, high)]

    pairs = [(text(i), text(5000 + i)) for i in range(CASES["reward"]["pairs"])]
    return [([*chosen[:20], MARK, *chosen[21:]], rejected) for chosen, rejected in pairs]


def text_of(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    """The text of some tokens; nothing is cleaned up, so that it comes back as nearly the same tokens."""
    return str(tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def ppo_settings(case: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A case in our names, for `PPOConfig`: what the peer is given too, nothing watched and no weights kept."""
    same = (
        *("updates", "rollout_batch", "temperature", "epochs", "minibatches", "learning_rate"),
        *("kl_coef", "cliprange", "cliprange_value", "vf_coef", "lam"),
    )
    own = {"max_new_tokens": case["response_tokens"], "watch_prompts": 0, "weights_every": 0}
    return {name: case[name] for name in same} | own | more
