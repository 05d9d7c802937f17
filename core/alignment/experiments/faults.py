"""Mistakes that no setting makes, done to what PPO is given. PPO itself is the one that is used everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.experiments.failures import COLD, OFFSET
from core.alignment.reward_model import RewardModel
from core.language.adapters import bare
from core.language.registry import STORYTELLER, load_tokenizer
from core.language.snapshots import EARLY, open_snapshot


@dataclass(frozen=True)
class WithoutPadding:
    """A reward model that is given texts without their padding, as decoding leaves it out."""

    inner: RewardModel
    pad: str

    @property
    def critic_start(self) -> RewardModel:
        """The reward model."""
        return self.inner

    def rate(self, prompts: Sequence[str], responses: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Scores of the texts without padding, raw and normalised: [N] each."""
        return self.inner.rate(*([text.replace(self.pad, "") for text in texts] for texts in (prompts, responses)))


def unnormalised(reward_model: RewardModel) -> RewardModel:
    """Raw scores, `OFFSET` above where they would lie on the reference's samples."""
    mean = reward_model.normalisation.mean - OFFSET
    return replace(reward_model, normalisation=replace(reward_model.normalisation, mean=mean, sd=1.0))


def padded_on_the_right(prompts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Every prompt filled up with padding tokens to the length of the longest, as text that the policy will read."""
    lengths = [len(tokenizer(prompt, add_special_tokens=False)["input_ids"]) for prompt in prompts]
    longest = max(lengths)
    return [prompt + tokenizer.pad_token * (longest - length) for prompt, length in zip(prompts, lengths, strict=True)]


def drawn_colder(policy: nn.Module) -> None:
    """From now on tokens are drawn at temperature `COLD`: logits of a pass that fills a cache are divided by it."""

    def colder(model: nn.Module, arguments: Any, keywords: dict[str, Any], output: Any) -> Any:
        if keywords.get("use_cache"):
            output.logits = output.logits / COLD
        return output

    bare(policy).register_forward_hook(colder, with_kwargs=True)


def reads_as_storyteller(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the storyteller's early weights could be a reference: they must know the policy's tokens."""
    return bool(tokenizer.get_vocab() == load_tokenizer("storyteller").get_vocab())


def stale_reference(model: str) -> PreTrainedModel:
    """The storyteller after the first hundredth of its pre-training."""
    return open_snapshot(STORYTELLER / EARLY, model)[0].requires_grad_(False)
