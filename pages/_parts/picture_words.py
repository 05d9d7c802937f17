"""What the picture of the pipeline says: the words and numbers of its four stations, and of the way back."""

from pages._parts.state import Pipeline, short_model


def picture_words(state: Pipeline, voter: str, win_rate: float | None) -> dict[str, object]:
    """Everything the picture says. The browser sets it as text, so names of models may hold anything."""
    waiting = "—"
    stations = [
        {
            "page": "overview",
            "concept": "policy",
            "mark": "●",
            "title": "Policy",
            "does": "writes two responses to a prompt",
            "value": short_model(state.policy),
            "detail": "a pre-trained language model",
            "flow": "prompt → two responses",
        },
        {
            "page": "label",
            "concept": "chosen",
            "mark": "✓",
            "title": "Preferences",
            "does": "which of the two is better?",
            "value": _votes(state),
            "detail": f"by {voter}",
            "flow": "two responses → chosen, rejected",
        },
        {
            "page": "reward_model",
            "concept": "reward",
            "mark": "◆",
            "title": "Reward model",
            "does": "a second transformer predicts the votes",
            "value": waiting if state.accuracy is None else f"{state.accuracy:.0%} right",
            "detail": "not trained yet" if state.accuracy is None else "on comparisons it never saw",
            "flow": "prompt + response → score",
        },
        {
            "page": "ppo",
            "concept": "kl",
            "mark": "▲",
            "title": "PPO",
            "does": "tunes the policy to score high and stay close",
            "value": waiting if state.kl is None else f"KL {state.kl:.1f} nats",
            "detail": "not run yet" if state.kl is None else _score(state),
            "flow": "scores − β·KL → new weights",
        },
    ]
    for station, model in zip(stations, state.stations(), strict=True):
        station["progress"] = round(state.progress, 3) if model.busy else None  # type: ignore[assignment]
        station["reached"] = model.reached  # type: ignore[assignment]
    return {"stations": stations, "loop": _loop(state, voter, win_rate)}


def _votes(state: Pipeline) -> str:
    """How many there are; of a loop that is still writing its pairs, how many of those."""
    if state.busy == "preferences" and state.votes:
        return f"{round(state.progress * state.votes):,} of {state.votes:,} pairs"
    return f"{state.votes:,} vote{'' if state.votes == 1 else 's'}"


def _score(state: Pipeline) -> str:
    return "moved from the reference" if state.score is None else f"per response · score {state.score:+.2f} sd"


def _loop(state: Pipeline, voter: str, win_rate: float | None) -> str:
    words = "↺ and again, with what the tuned policy writes"
    if state.gold_before is not None and state.gold_after is not None:
        words += f"  ·  {voter}'s true taste {state.gold_before:.2f} → {state.gold_after:.2f}"
    if win_rate is not None:
        words += f"  ·  better on {win_rate:.0%} of unseen prompts"
    return words
