"""Ten ways PPO goes wrong: what is changed, and what the mistake is. No torch."""

from dataclasses import dataclass, field
from typing import Any, Literal

Fault = Literal["", "unnormalised", "padding", "temperature", "stale_reference"]


@dataclass(frozen=True)
class Failure:
    """One mistake: different settings, or a fault in what PPO is given."""

    name: str
    title: str
    changes: dict[str, Any] = field(default_factory=dict)  # fields of PPOConfig, against the healthy run
    fault: Fault = ""  # a mistake that no setting makes: see `faults`
    mistake: str = ""  # what was done, in a sentence
    why: str = ""  # why that breaks training


OFFSET = 10.0  # raw scores of a model that nobody normalised may lie anywhere: here about ten above zero
COLD = 0.5  # the temperature that responses are really drawn at when it is not the one they are judged at

FAILURES = (
    Failure(
        "learning-rate",
        "Learning rate too high",
        {"learning_rate": 1e-3},
        mistake="The learning rate is fourteen times the default.",
        why="One rollout moves the policy so far that the next one is drawn from another model: the clip stops tokens "
        "one by one, and what has been moved stays moved; β pulls it back more slowly than the steps carry it off.",
    ),
    Failure(
        "no-leash",
        "No KL penalty, in large steps",
        {"kl_coef": 0.0, "learning_rate": 2e-4},
        mistake="β is 0, and the learning rate three times the default.",
        why="Leaving the reference costs nothing. The policy finds what the reward model overrates and repeats it.",
    ),
    Failure(
        "no-whitening",
        "Advantages not whitened",
        {"whiten_advantages": False, "vf_coef": 0.0},
        mistake="Advantages keep their size and their mean, and no critic takes the mean out.",
        why="When most scores are above zero, nearly every token is pushed up, good or bad: the step is mostly the "
        "common part, and its size follows the reward's.",
    ),
    Failure(
        "dead-critic",
        "Value head never learns",
        {"vf_coef": 0.0},
        mistake="The value loss has weight 0.",
        why="Every state is worth 0 to the critic, so that a token is credited with the whole response's luck. "
        "Whitening still takes the mean out: the loop limps rather than falls.",
    ),
    Failure(
        "padding",
        "Prompts padded on the wrong side",
        fault="padding",
        mistake="Prompts are filled up on the right, and no mask hides it.",
        why="The policy writes behind a row of padding tokens that it never saw in training, and that is what it "
        "learns to do.",
    ),
    Failure(
        "end-penalty",
        "Cut-off responses cost too much",
        {"missing_end_penalty": 5.0},
        mistake="A response that does not end loses five standard deviations of score.",
        why="Ending is worth more than anything that could be written: the shortest way to be paid is to stop at once.",
    ),
    Failure(
        "not-normalised",
        "Scores not normalised",
        {"whiten_advantages": False},
        fault="unnormalised",
        mistake=f"PPO is paid raw scores, which lie about {OFFSET:g} above zero, and advantages are not whitened.",
        why="The pairwise loss never fixes where zero is. The critic starts at 0, so everything written looks far "
        "better than expected, and β means something else.",
    ),
    Failure(
        "temperature",
        "Drawn at one temperature, judged at another",
        fault="temperature",
        mistake=f"Responses are drawn at temperature {COLD:g} and their probabilities taken at 1.",
        why="The estimate log π − log π_ref assumes tokens drawn from π. They are not: expectations are taken over the "
        "wrong distribution.",
    ),
    Failure(
        "stale-reference",
        "The wrong reference",
        fault="stale_reference",
        mistake="The reference is the storyteller after a hundredth of its pre-training, not the policy's start.",
        why="The leash pulls towards a worse model from the first update on: staying as one was costs KL.",
    ),
    Failure(
        "epochs",
        "Too many epochs",
        {"epochs": 8, "learning_rate": 2e-4},
        mistake="Eight passes over each rollout, at three times the learning rate.",
        why="After a few passes the rollout no longer tells of the policy that is being changed. Ratios leave the clip "
        "range, and what is left to learn is noise.",
    ),
)


def failure(name: str) -> Failure:
    """The failure called `name`. Raises KeyError for another."""
    return {one.name: one for one in FAILURES}[name]
