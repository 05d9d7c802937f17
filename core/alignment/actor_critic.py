"""The policy and its critic read a rollout together: log-probabilities, logits and values of every response token."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.language.adapters import bare
from core.language.precision import autocast
from core.language.sampling import Rollout, positions


@dataclass
class Sequences:
    """Queries and responses as one batch: [B, Q + R], and where the responses begin."""

    input_ids: Tensor
    mask: Tensor
    query_length: int

    @classmethod
    def of(cls, rollout: Rollout, device: torch.device) -> "Sequences":
        """The rollout on `device`."""
        return cls(
            torch.cat([rollout.query_ids, rollout.response_ids], dim=1).to(device),
            torch.cat([rollout.query_mask, rollout.response_mask], dim=1).to(device),
            rollout.query_ids.shape[1],
        )

    def rows(self, index: Tensor) -> "Sequences":
        """Some of the rows, without the columns on the left that are padding in all of them."""
        mask = self.mask[index]
        padding = int(mask.any(0).int().argmax())
        return Sequences(self.input_ids[index, padding:], mask[:, padding:], self.query_length - padding)

    @property
    def response_ids(self) -> Tensor:
        """[B, R]."""
        return self.input_ids[:, self.query_length :]


def response_states(model: PreTrainedModel, sequences: Sequences) -> Tensor:
    """The trunk's hidden state at the position that predicts each response token: [B, R, width].

    Only these are multiplied by the vocabulary: the prompt's logits would be computed for nothing. Position ids are
    given, because rows are padded on the left.
    """
    mask = sequences.mask
    padded = bool((mask == 0).any())
    output = model.base_model(
        input_ids=sequences.input_ids,
        attention_mask=mask if padded else None,
        position_ids=positions(mask),
        use_cache=False,
    )
    return output.last_hidden_state[:, sequences.query_length - 1 : -1]


def response_distribution(model: PreTrainedModel, sequences: Sequences, temperature: float) -> Tensor:
    """Log-probabilities of the whole vocabulary for each response token, at the sampling temperature: [B, R, vocab]."""
    return _distribution(model, response_states(model, sequences), temperature)


def reference_distribution(
    policy: nn.Module, ref_policy: PreTrainedModel | None, sequences: Sequences, temperature: float
) -> Tensor:
    """The reference's log-probabilities of the whole vocabulary for each response token: [B, R, vocab].

    In the policy's precision: rounded alike, a policy that has not moved has exactly no KL.
    """
    with autocast(sequences.input_ids.device):
        if ref_policy is not None:
            return response_distribution(ref_policy, sequences, temperature)
        with policy.disable_adapter():  # type: ignore[operator]
            return response_distribution(bare(policy), sequences, temperature)


def _distribution(model: PreTrainedModel, states: Tensor, temperature: float) -> Tensor:
    return (model.get_output_embeddings()(states).float() / temperature).log_softmax(-1)


def of_tokens(log_p: Tensor, ids: Tensor) -> Tensor:
    """log p of the tokens that were drawn: [B, R, vocab], [B, R] -> [B, R]."""
    return log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1)


class ActorCritic(nn.Module):
    """A policy with a critic: a value head on the policy's own trunk, or on a separate trunk.

    The head starts at zero: every state is worth the mean until something has been learnt.
    """

    def __init__(self, policy: nn.Module, separate: PreTrainedModel | None = None):
        """`separate`: the reward model whose trunk the critic starts from; None when it shares the policy's."""
        super().__init__()
        self.policy = policy
        self.critic = copy.deepcopy(separate.base_model).requires_grad_(True) if separate is not None else None
        trunk = bare(policy) if separate is None else separate
        self.value_head = nn.Linear(trunk.config.hidden_size, 1)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)
        self.value_head.to(bare(policy).device)

    def forward(self, sequences: Sequences, temperature: float) -> tuple[Tensor, Tensor]:
        """Log-probabilities of the whole vocabulary [B, R, vocab], and values [B, R], for each response token."""
        model = bare(self.policy)
        with autocast(sequences.input_ids.device):
            states = response_states(model, sequences)
            log_p = _distribution(model, states, temperature)
            if self.critic is not None:
                states = response_states(_Trunk(self.critic), sequences)  # type: ignore[arg-type]
        values = self.value_head(states.float()).squeeze(-1)
        return log_p, values


class _Trunk:
    """A trunk that answers `base_model` like the whole models do."""

    def __init__(self, trunk: PreTrainedModel):
        self.base_model = trunk
