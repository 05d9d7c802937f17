"""The ten stops of the tour: where each is, the one act there, what to notice. In the order of the loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Url = Mapping[str, str]


@dataclass(frozen=True)
class Stop:
    """One stop: one page, one act."""

    page: str
    title: str
    act: str
    notice: str
    done: Callable[[Url], bool]  # whether the act shows in the page's own URL
    url: Mapping[str, str] = field(default_factory=dict)  # what to open the page with
    at: str = ""  # the key of what the act is done with: it is shown to the reader


def _is(name: str, *values: str) -> Callable[[Url], bool]:
    return lambda url: url.get(name, "") in values


def _said(name: str) -> Callable[[Url], bool]:
    return lambda url: bool(url.get(name, "").strip())


def _other_than(name: str, at_first: str) -> Callable[[Url], bool]:
    return lambda url: url.get(name, at_first) != at_first


VOTED = "tour_voted"  # set by the tour itself: votes are in the store, not in the URL

STOPS = (
    Stop(
        "overview",
        "Text",
        "Turn to the second example, under the picture.",
        "Both cards go on from the same words. Nothing but the weights differs: what did the tuning bring in?",
        _is("example", "2"),
        at="example",
    ),
    Stop(
        "overview",
        "Prompt",
        "Type a beginning under “Begin a story yourself” and press Enter.",
        "The policy writes on from your words, token by token. It has no taste yet, only what is likely.",
        _said("prompt"),
        at="prompt",
    ),
    Stop(
        "label",
        "Vote",
        "Read both texts, then press ← or → for the better one.",
        "That is one row of data: prompt, chosen, rejected. It says which is better, and never how good.",
        _said(VOTED),
        at="pair_prompt",
    ),
    Stop(
        "label",
        "Bet",
        "Vote once more, and read the line beneath the pair.",
        "A model that knows only your earlier votes bets before you vote. From so few it can hardly do better than a "
        "coin.",
        _said(VOTED),
        at="bet",
    ),
    Stop(
        "loss_surface",
        "Loss surface",
        "Move “Score of the chosen” to the right.",
        "The loss falls as the chosen text pulls ahead, and the slope flattens: a vote already understood teaches "
        "little.",
        _other_than("r_w", "-2.0"),
        {"part": "One comparison"},
        "r_w",
    ),
    Stop(
        "reward_model",
        "Reward model",
        "Turn to the second page of its worst mistakes.",
        "A transformer learned these votes and was sure, and wrong. Would you side with the voter, or with it?",
        _other_than("mistakes", "1"),
        {"part": "Worst mistakes"},
        "mistakes",
    ),
    Stop(
        "ppo",
        "PPO",
        "Press “Is this normal?”.",
        "The score is what was gained, the KL what was given up for it. Each check names its numbers.",
        _is("ppo_view", "Is this normal?"),
        at="ppo_view",
    ),
    Stop(
        "token_microscope",
        "Microscope",
        "Say whether this token was pushed up or down, and commit to it.",
        "One token, one update: the score, the KL charge and the critic's surprise add up to the push.",
        _said("push_guess"),
        at="predict-push_guess",
    ),
    Stop(
        "before_after",
        "Before and after",
        "Drag the checkpoint back to the reference, and forth again.",
        "The same prompts and the same random numbers at every checkpoint: watch which words arrive, and when.",
        _said("at"),
        {"view": "Checkpoints"},
        "at",
    ),
    Stop(
        "goodhart",
        "Goodhart",
        "Set β from 0 to 0.1.",
        "The green line is what the reward model says, the blue one the gold, the voter's true taste, which no "
        "training saw. How far apart do they end, and which is higher? A price on KL ends both sooner.",
        _is("goodhart_beta", "0.1"),
        {"part": "PPO"},
        "goodhart_beta",
    ),
)
