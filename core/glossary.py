"""What the words mean: one definition each, and where it can be seen. Shown on hover, and in full in the glossary."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Term:
    """One word of the field.

    Attributes:
        name: as the glossary lists it.
        means: one or two plain sentences.
        page: name of the page where it can be seen.
        url: what that page is opened with, so that it shows there.
        prose: the forms by which a page's own text is known to mean it; empty for everyday words (value, key, head).
    """

    name: str
    means: str
    page: str
    url: Mapping[str, str] = field(default_factory=dict)
    prose: tuple[str, ...] = ()


def _term(name: str, means: str, page: str, *prose: str, **url: str) -> Term:
    return Term(name, means, page, url, prose)


TERMS = (
    # the loop
    _term(
        "RLHF",
        "Reinforcement learning from human feedback: people compare texts, a reward model learns their votes, and the "
        "policy is tuned toward what it scores high.",
        "overview",
        "RLHF",
    ),
    _term(
        "policy",
        "The language model that is tuned: for every text so far, a probability for each next token. It chooses "
        "tokens as a player chooses moves, hence the name.",
        "overview",
        "policy",
        "policies",
    ),
    _term(
        "reference",
        "The policy as it was before tuning, frozen. KL is measured from it.",
        "before_after",
        "reference",
    ),
    _term("prompt", "The words a response begins from; the same for all responses that are compared.", "label"),
    _term("response", "What the policy writes after a prompt, token by token, until it ends or is cut.", "label"),
    _term(
        "preference dataset",
        "Rows of prompt, chosen and rejected. A row says which of two responses was better, and never how good.",
        "data",
        "preference dataset",
        "preferences",
    ),
    _term("chosen, rejected", "The response that won a comparison, and the one that lost it.", "label"),
    _term(
        "annotator",
        "Who votes: a person, or a program whose true taste is known and whose votes are noisy as people's are.",
        "label",
        "annotator",
    ),
    _term(
        "update",
        "One round of PPO: responses are written, scored, and learned from in a few small steps.",
        "ppo",
    ),
    # the reward model
    _term(
        "reward model",
        "A separate transformer that reads a prompt and a response and gives one number. It was trained so that the "
        "chosen response gets more than the rejected one.",
        "reward_model",
        "reward model",
        "reward models",
    ),
    _term(
        "score",
        "What the reward model says of a response. It has no zero: only differences between scores mean anything.",
        "reward_model",
    ),
    _term(
        "Bradley–Terry",
        "The assumption behind the ranking loss: a response wins with probability σ(Δ), the logistic sigmoid of the "
        "difference of the two scores.",
        "loss_surface",
        "Bradley–Terry",
        part="One comparison",
    ),
    _term(
        "ranking loss",
        "−log σ(Δ) with Δ = score of the chosen − score of the rejected: how surprising the vote is to the model. "
        "Undecided costs log 2 ≈ 0.693, a confident mistake without limit.",
        "loss_surface",
        "ranking loss",
        "−log σ(Δ)",
        part="One comparison",
    ),
    _term(
        "margin",
        "How much more the chosen response scores than the rejected one; also how much more is asked for, where the "
        "voter said how clear it was.",
        "reward_model",
    ),
    _term(
        "gradient",
        "For every weight, how fast the loss rises when it grows. Training steps go the other way.",
        "loss_surface",
        "gradient",
        "gradients",
        part="Two weights",
    ),
    _term(
        "learning rate",
        "How long a step down the gradient is. Too short and training hardly arrives; too long and it overshoots.",
        "loss_surface",
        "learning rate",
        part="Two weights",
    ),
    _term(
        "separable",
        "Votes are separable if some direction ranks all of them rightly. The loss then has no finite minimum: larger "
        "weights are always a little better.",
        "loss_surface",
        "separable",
        part="Two weights",
    ),
    _term(
        "held-out",
        "Kept from training, to measure on. Only what was not trained on tells whether something was learned.",
        "reward_model",
        "held-out",
        "held out",
    ),
    _term(
        "calibration",
        "Whether probabilities can be taken at their word: of the votes it gives 80 %, 80 % should come true.",
        "reward_model",
        "calibration",
        "calibrated",
    ),
    _term(
        "log-loss",
        "Mean of −log of the probability given to what did happen, in nats. Lower is better; log 2 is a coin's.",
        "reward_model",
        "log-loss",
    ),
    _term(
        "skill",
        "How far from guessing to the best that the annotator's noise allows: (accuracy − ½) / (ceiling − ½).",
        "reward_model",
    ),
    _term(
        "ensemble",
        "Several reward models, each taught on another resample of the same votes. Where they disagree, none of them "
        "is to be trusted.",
        "reward_model",
        "ensemble",
        part="How sure",
    ),
    # PPO
    _term(
        "PPO",
        "Proximal policy optimisation: makes tokens that did better than expected likelier, in steps clipped so that "
        "no update goes far.",
        "ppo",
        "PPO",
    ),
    _term(
        "KL",
        "Kullback–Leibler divergence: how far the policy has moved from the reference, summed over the tokens of a "
        "response. It is never negative, and zero only where nothing changed.",
        "ppo",
        "KL",
    ),
    _term("nat", "The unit of KL and entropy with natural logarithms: 1 nat = 1.44 bits.", "ppo", "nats"),
    _term(
        "β",
        "The KL coefficient: what a response pays for each nat it lies from the reference. Higher keeps it closer.",
        "goodhart",
        "β",
        part="PPO",
    ),
    _term(
        "k1",
        "The estimate of KL from sampled tokens alone, log π − log π_ref. Right on average, but noisy: it can be "
        "negative, and KL cannot.",
        "ppo",
        "k1",
    ),
    _term(
        "rollout",
        "The responses written for one update, with all numbers PPO learns from.",
        "ppo",
        "rollout",
        "rollouts",
        ppo_view="What flows",
    ),
    _term(
        "log-probability",
        "The logarithm of the probability a model gives a token: 0 is certain, −2.3 is one in ten.",
        "token_microscope",
        "log-probability",
        "log-probabilities",
    ),
    _term(
        "ratio",
        "ρ: a token's probability now over its probability when it was drawn. The log-ratio is its logarithm.",
        "token_microscope",
        "log-ratio",
    ),
    _term(
        "clip",
        "Once the ratio has passed 1 ± ε the way the advantage asks, going further earns nothing: its gradient is "
        "zero.",
        "token_microscope",
    ),
    _term(
        "clip fraction",
        "The share of tokens for which the clipped branch was active, so that they taught nothing, in an update.",
        "ppo",
        "clip fraction",
    ),
    _term(
        "entropy",
        "How undecided a distribution is, in nats: 0 when one token is certain, log n when n tokens are equally "
        "likely.",
        "ppo",
        "entropy",
    ),
    _term(
        "standard deviation",
        "How widely numbers scatter around their mean, sd for short. Scores are told in sd of what the reference "
        "writes, so that they mean the same for every reward model.",
        "ppo",
        "standard deviation",
        "standard deviations",
        "sd",
    ),
    _term(
        "value",
        "What the critic expects from a token on to the end: the rewards still to come.",
        "token_microscope",
    ),
    _term(
        "critic",
        "The value head: a number at every token, trained to predict the rewards that are still to come.",
        "token_microscope",
        "critic",
        "value head",
    ),
    _term(
        "return",
        "The rewards from a token on, as PPO estimates them: advantage plus value. The critic is taught to guess it.",
        "token_microscope",
    ),
    _term(
        "advantage",
        "How much better it went from a token on than the critic had expected. Its sign says whether the token is "
        "pushed up or down.",
        "token_microscope",
        "advantage",
        "advantages",
    ),
    _term(
        "GAE",
        "Generalised advantage estimation: the sum of the surprises δ from a token on, each fading by γλ a token.",
        "token_microscope",
        "GAE",
    ),
    _term(
        "whitening",
        "Numbers shifted and scaled to mean 0 and standard deviation 1 over the update.",
        "token_microscope",
        "whitening",
        "whitened",
    ),
    # what came of it
    _term(
        "gold",
        "The true taste behind a simulated annotator's votes, a number a text. No training sees it: it measures.",
        "goodhart",
        "gold",
        part="PPO",
    ),
    _term(
        "proxy",
        "What is optimised in place of what is wanted: here, the reward model's score in place of the gold.",
        "goodhart",
        "proxy",
        part="PPO",
    ),
    _term(
        "Goodhart's law",
        "When a measure becomes a target, it ceases to be a good measure: the score still rises and what it "
        "stood for does not.",
        "goodhart",
        "Goodhart",
        part="PPO",
    ),
    _term(
        "gold win rate",
        "On how many unseen prompts the gold is higher after tuning than before; ties count half.",
        "overview",
        "win rate",
    ),
    _term(
        "best of n",
        "Write n responses and keep the one the reward model scores highest. No weight changes.",
        "goodhart",
        "best of n",
        "best-of-n",
        part="Best of n",
    ),
    _term(
        "DPO",
        "Direct preference optimisation: trains the policy on the votes themselves, without a reward model or "
        "sampling.",
        "frontier",
        "DPO",
    ),
    _term(
        "RLOO, GRPO",
        "Policy gradients without a critic: a response is judged against others to the same prompt.",
        "frontier",
        "RLOO",
        "GRPO",
    ),
    _term(
        "perplexity",
        "How strange a model finds a text: e to the mean −log-probability a token. Lower is more expected.",
        "before_after",
        "perplexity",
        view="Checkpoints",
    ),
    _term(
        "self-BLEU",
        "How alike the texts of one model are: each scored against all others. Higher is less variety.",
        "before_after",
        "self-BLEU",
        view="In numbers",
    ),
    # the machine
    _term(
        "token",
        "The unit a model reads and writes: a word, a part of one, or a single byte, by its number in the vocabulary.",
        "embeddings",
    ),
    _term(
        "embedding",
        "The vector that stands for a token where it enters the model. Some models add to it where the token stands, "
        "others turn queries and keys by that later.",
        "embeddings",
        "embedding",
        "embeddings",
    ),
    _term(
        "logit",
        "A model's raw number for a token before the softmax. Only differences between logits matter.",
        "transformer_block",
        "logit",
        "logits",
        part="Next token",
    ),
    _term(
        "softmax",
        "Turns any numbers into probabilities: e to each of them, divided by their sum.",
        "attention",
        "softmax",
    ),
    _term(
        "temperature",
        "What logits are divided by before the softmax. Below 1 the likeliest tokens gain, above 1 the others do.",
        "transformer_block",
        "temperature",
        part="Next token",
    ),
    _term(
        "query, key, value",
        "Three vectors made of every token: what it looks for, what it offers to be found by, and what it hands over.",
        "attention",
    ),
    _term(
        "head",
        "One attention with queries, keys and values of its own. A layer has several, side by side. Also, on top of a "
        "model, what reads a number off its last state.",
        "attention",
        part="All heads",
    ),
    _term(
        "causal mask",
        "Hides every later token from the one that is looking, so that the next token is predicted and not copied.",
        "attention",
        "causal mask",
    ),
    _term(
        "residual stream",
        "The vector that runs through all layers. Each block reads it and adds what it found.",
        "transformer_block",
        "residual stream",
    ),
    _term(
        "logit lens",
        "Reads next-token probabilities off a middle layer with the norm and output matrix of the last.",
        "transformer_block",
        "logit lens",
        part="Logit lens",
    ),
    _term(
        "Jacobian",
        "The matrix of all slopes of one step: how each number after it changes with each number before it.",
        "why_transformers",
        "Jacobian",
        "Jacobians",
        part="A product of Jacobians",
    ),
    _term(
        "checkpoint",
        "The weights of a model as they were at one moment of its training, kept on disk.",
        "before_after",
        "checkpoint",
        "checkpoints",
        view="Checkpoints",
    ),
    _term(
        "LoRA",
        "Low-rank adapters: the model stays frozen, and only small matrices added to it are trained.",
        "models",
        "LoRA",
    ),
    _term(
        "safetensors",
        "A file of weights that can hold numbers only, and so never runs a program when it is opened.",
        "models",
        "safetensors",
    ),
)
