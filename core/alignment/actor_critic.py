"""The policy and its critic read a rollout together: log-probabilities and values of every response token.

Tokens alone: what is computed of the response's tokens is [tokens, …], row after row, and padding is not in it. Half of
a batch of short responses is padding, and multiplying it by the vocabulary would be half of the work.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.alignment.gpt2_trunk import Reading, plain_gpt2, trunk_states
from core.alignment.reward_model import RewardModel
from core.language.adapters import bare
from core.language.logits import logits_of, width_of
from core.language.precision import autocast
from core.language.sampling import Rollout, positions


@dataclass
class Sequences:
    """Queries and responses as one batch: [B, Q + R], and where the responses begin."""

    input_ids: Tensor
    mask: Tensor
    query_length: int
    room: int | None = None  # R of the batch that these rows were taken from, where it was more

    @classmethod
    def of(cls, rollout: Rollout, device: torch.device) -> "Sequences":
        """The rollout on `device`."""
        return cls(
            torch.cat([rollout.query_ids, rollout.response_ids], dim=1).to(device),
            torch.cat([rollout.query_mask, rollout.response_mask], dim=1).to(device),
            rollout.query_ids.shape[1],
        )

    def rows(self, index: Tensor) -> "Sequences":
        """Some of the rows, without the columns on either side that are padding in all of them."""
        mask = self.mask[index]
        used = mask.any(0).nonzero().squeeze(-1)
        columns = slice(int(used[0]), max(int(used[-1]) + 1, self.query_length + 1))
        return replace(
            self,
            input_ids=self.input_ids[index, columns],
            mask=mask[:, columns],
            query_length=self.query_length - columns.start,
            room=self.room or self.mask.shape[1] - self.query_length,
        )

    @property
    def written(self) -> Tensor:
        """Where there is a token of a response: [B, R], True on tokens."""
        return self.mask[:, self.query_length :].bool()

    @property
    def response_ids(self) -> Tensor:
        """[B, R]."""
        return self.input_ids[:, self.query_length :]

    @property
    def tokens(self) -> Tensor:
        """The responses' tokens, row after row: [tokens]."""
        return self.gather(self.response_ids)

    def gather(self, x: Tensor) -> Tensor:
        """What stands at the responses' tokens: [B, R, …] -> [tokens, …]."""
        return x.flatten(0, 1).index_select(0, self.written.flatten().nonzero().squeeze(-1))

    def spread(self, x: Tensor) -> Tensor:
        """What is known of each token, at its place and 0 on padding: [tokens, …] -> [B, R, …]."""
        written = self.written
        rows, columns = written.nonzero(as_tuple=True)
        return x.new_zeros(len(written), self.room or written.shape[1], *x.shape[1:]).index_put((rows, columns), x)


@torch.no_grad()
def read_in_parts(
    sequences: Sequences, reader: Callable[[Sequences], dict[str, Tensor]], rows: int = 16
) -> dict[str, Tensor]:
    """What `reader` says of every response token, [tokens, …] of a part -> [B, R, …] of the whole, 0 on padding.

    Rows of like length are read together, so that little is spent on padding, and the vocabulary's log-probabilities of
    few rows exist at a time.
    """
    order = sequences.written.sum(-1).argsort(stable=True)
    parts = [sequences.rows(index) for index in order.split(rows)]
    found = [{name: part.spread(x) for name, x in reader(part).items()} for part in parts]
    back = order.argsort()
    return {name: torch.cat([one[name] for one in found])[back] for name in found[0]}


def response_states(model: PreTrainedModel, sequences: Sequences) -> Tensor:
    """The trunk's hidden state at the position that predicts each response token: [tokens, width].

    Only these are multiplied by the vocabulary: the prompt's logits would be computed for nothing. Position ids are
    given, because rows are padded on the left.
    """
    mask, trunk = sequences.mask, model.base_model
    asked = slice(sequences.query_length - 1, mask.shape[1] - 1)
    if plain_gpt2(trunk):
        time = torch.arange(mask.shape[1])
        sees = (time[:, None] >= time) & (mask.bool()[:, None, :] | (time[:, None] == time))
        reading = Reading(sequences.input_ids, positions(mask), sees, asked, trunk.config.n_head)
        return sequences.gather(trunk_states(dict(trunk.named_parameters()), trunk.config, reading))
    padded = bool((mask == 0).any())
    output = trunk(
        input_ids=sequences.input_ids,
        attention_mask=mask if padded else None,
        position_ids=positions(mask),
        use_cache=False,
    )
    return sequences.gather(output.last_hidden_state[:, asked])


def response_distribution(model: PreTrainedModel, sequences: Sequences, temperature: float) -> Tensor:
    """The vocabulary's log-probabilities for each response token, at the sampling temperature: [tokens, vocab]."""
    return _distribution(model, response_states(model, sequences), temperature)


def reference_distribution(
    policy: nn.Module, ref_policy: PreTrainedModel | None, sequences: Sequences, temperature: float
) -> Tensor:
    """The reference's log-probabilities of the whole vocabulary for each response token: [tokens, vocab].

    In the policy's precision: rounded alike, a policy that has not moved has exactly no KL.
    """
    with autocast(sequences.input_ids.device):
        if ref_policy is not None:
            return response_distribution(ref_policy, sequences, temperature)
        with policy.disable_adapter():  # type: ignore[operator]
            return response_distribution(bare(policy), sequences, temperature)


def _distribution(model: PreTrainedModel, states: Tensor, temperature: float) -> Tensor:
    logits = logits_of(model, states)
    return (logits if temperature == 1 else logits / temperature).log_softmax(-1)


def of_tokens(log_p: Tensor, ids: Tensor) -> Tensor:
    """log p of the tokens that were drawn: [tokens, vocab], [tokens] -> [tokens]."""
    return log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1)


class ActorCritic(nn.Module):
    """A policy with a critic: a value head on the policy's own trunk, or on a separate trunk.

    On the policy's trunk the head starts at zero: every state is worth the mean until something has been learnt. A
    separate critic starts as the reward model, head and all (Ouyang et al. 2022, appendix C.4): a text that stops here
    is worth the score it has so far.
    """

    def __init__(self, policy: nn.Module, separate: RewardModel | None = None):
        """`separate`: the reward model that the critic starts as; None when it shares the policy's trunk."""
        super().__init__()
        self.policy = policy
        self.critic = copy.deepcopy(separate.model.base_model).requires_grad_(True) if separate is not None else None
        width = width_of(bare(policy)) if separate is None else separate.model.get_parameter("score.weight").shape[1]
        self.value_head = nn.Linear(width, 1)
        nn.init.zeros_(self.value_head.weight)
        nn.init.zeros_(self.value_head.bias)
        if separate is not None:
            self._value_as_scored(separate)
        self.value_head.to(bare(policy).device)

    @torch.no_grad()
    def _value_as_scored(self, reward_model: RewardModel) -> None:
        """The reward model's score head in the units that the policy is paid in: (w·h − mean) / sd."""
        units, head = reward_model.normalisation, reward_model.model.get_parameter("score.weight")
        self.value_head.weight.copy_(head / units.sd)
        self.value_head.bias.fill_(-units.mean / units.sd)

    def distribution(self, sequences: Sequences, temperature: float) -> Tensor:
        """The policy's part of `forward` alone: [tokens, vocab]."""
        with autocast(sequences.input_ids.device):
            return response_distribution(bare(self.policy), sequences, temperature)

    def forward(self, sequences: Sequences, temperature: float) -> tuple[Tensor, Tensor]:
        """For each response token: the vocabulary's log-probabilities [tokens, vocab], and its value [tokens]."""
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
