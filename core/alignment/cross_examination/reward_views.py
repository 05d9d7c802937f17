"""What the page about a reward model draws, as plain data: the same whether computed now or kept in the gallery."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from core.alignment.configs import RewardConfig
from core.alignment.cross_examination.head_posterior import best_posterior, head_features, pair_features
from core.alignment.cross_examination.mistakes import Filter, worst_first
from core.alignment.cross_examination.reward_ensemble import member_scores
from core.alignment.cross_examination.run_pairs import TaughtPair
from core.alignment.cross_examination.scored_pairs import ScoredPair, as_row, score_pairs, split_taught
from core.alignment.cross_examination.trait_coefficients import trait_coefficients
from core.alignment.cross_examination.traits import measured_traits
from core.alignment.cross_examination.word_deletion import word_deletions
from core.alignment.reward_model import RewardModel, running_scores, score
from core.feedback.comparison import NewPair

WORST = 40  # training votes listed: those the model resists most


def heldout_view(reward_model: RewardModel, pairs: Sequence[TaughtPair], config: RewardConfig) -> dict[str, Any]:
    """Every held-out pair with both scores; how many pairs were trained on; mean and sd of the policy's own scores."""
    train, heldout = split_taught(pairs, config.heldout_share, config.seed)
    unit = reward_model.normalisation
    return {
        "pairs": [as_row(one) for one in score_pairs(reward_model, heldout)],
        "pairs_train": len(train),
        "unit": [unit.mean, unit.sd],
    }


def resisted_view(reward_model: RewardModel, pairs: Sequence[TaughtPair], config: RewardConfig) -> list[dict[str, Any]]:
    """The training votes with the highest loss, worst first; `place` is the vote's among all of the run's."""
    train, _ = split_taught(pairs, config.heldout_share, config.seed)
    taught = {one.pair.prompt for one in train}
    places = [place for place, one in enumerate(pairs) if one.pair.prompt in taught]
    scored = [
        ScoredPair(place, one.taught, one.chosen, one.rejected)
        for place, one in zip(places, score_pairs(reward_model, [pairs[place] for place in places]), strict=True)
    ]
    return [as_row(one) for one in worst_first(scored, Filter(wrong_only=False))[:WORST]]


def traits_view(reward_model: RewardModel, pairs: Sequence[NewPair]) -> dict[str, Any]:
    """Correlation and coefficient of the score with every trait, over both responses of the policy's own pairs."""
    prompts = [pair.prompt for pair in pairs for _ in range(2)]
    responses = [text for pair in pairs for text in (pair.response_a, pair.response_b)]
    scores = score(reward_model.model, reward_model.tokenizer, prompts, responses).tolist()
    alone = {trait.name: trait for trait in measured_traits(prompts, responses, scores)}
    together = trait_coefficients(prompts, responses, scores)
    rows = [
        asdict(one) | {"correlation": alone[one.name].correlation, "correlation_reach": alone[one.name].reach}
        for one in together.coefficients
    ]
    return {"traits": rows, "explained": together.explained, "texts": together.texts}


def words_view(reward_model: RewardModel, prompt: str, response: str) -> dict[str, Any]:
    """One response read two ways: what deleting each word does, and the score as if it ended after each token."""
    found = word_deletions(reward_model, prompt, response)
    return {
        "words": [[word.text, word.effect] for word in found.words],
        "score": found.score,
        "prompt_score": found.prompt_score,
        "summed": found.summed,
        "running": running_scores(reward_model.model, reward_model.tokenizer, prompt, response),
    }


def members_view(ensemble: Sequence[RewardModel], pairs: Sequence[ScoredPair]) -> list[list[float]]:
    """Δ = r_w − r_l of every member on every pair: [members][pairs]."""
    chosen, rejected = member_scores(ensemble, [one.taught.pair for one in pairs])
    return [[float(value) for value in row] for row in chosen - rejected]


class HeadDoubt:
    """A single model's last-layer posterior, ready to be asked about any two texts."""

    def __init__(self, reward_model: RewardModel, pairs: Sequence[TaughtPair], config: RewardConfig) -> None:
        """Fit it on the run's own training votes, its prior chosen by the held-out ones, if any."""
        train, heldout = split_taught(pairs, config.heldout_share, config.seed)
        model, tokenizer = reward_model.model, reward_model.tokenizer
        weights = model.get_parameter("score.weight")[0].detach().float().cpu()
        taught = pair_features(model, tokenizer, [one.pair for one in train])
        unseen = pair_features(model, tokenizer, [one.pair for one in heldout or train])
        self._posterior = best_posterior(taught, unseen, weights)
        self._reward_model = reward_model
        self.votes = len(train)

    @property
    def prior_precision(self) -> float:
        """λ of the prior that was chosen."""
        return self._posterior.prior_precision

    def sd(self, prompt: str, first: str, second: str) -> float:
        """Standard deviation of Δ = r(first) − r(second)."""
        model, tokenizer = self._reward_model.model, self._reward_model.tokenizer
        both = head_features(model, tokenizer, [prompt] * 2, [first, second])
        return float(self._posterior.sd(torch.sub(both[0], both[1])))
