"""Was the token pushed up or down, and why: sentences that follow the measured numbers, whatever these are."""

import math

import streamlit as st

from core.alignment.ppo_reading.microscope import TokenView
from core.alignment.ppo_reading.slides import Facts, Slide
from pages._parts.predict import predict, revealed
from pages._token_microscope.words import number, said, share, signed

UP, DOWN, NONE = "up", "down", "not at all"
_ANSWER = {"up": UP, "down": DOWN, "none": NONE}
_STILL = 5e-4  # nats: less is within what the next update forgets


def claim(slide: Slide) -> str:
    """What the update did to all of its tokens, in one sentence."""
    facts = slide.facts
    pushed = facts.pushed_up + facts.pushed_down
    if not pushed:
        return f"Update {slide.update} pushed none of its {facts.tokens:,} tokens: every gradient was cut to nothing."
    went, rest = facts.followed / pushed, facts.tokens - pushed
    reason = "." if went > 0.95 else ": tokens share weights, so pushing one also moves the others."
    return (
        f"Of {facts.tokens:,} tokens, update {slide.update} pushed {facts.pushed_up:,} up and "
        f"{facts.pushed_down:,} down{f' and {rest:,} not at all' if rest else ''}; {went:.0%} of the pushed then moved "
        f"that way{reason}"
    )


def answered() -> bool:
    """Whether the reader has said which way the first token went."""
    return st.query_params.get("push_guess") in (UP, DOWN, NONE)


def ask(slide: Slide, view: TokenView) -> bool:
    """Once a visit: have the reader say it first. Whether the verdict may be shown."""
    here = f"{slide.update}-{slide.numbers[view.row] + 1}-{view.place + 1}"
    guess = predict("push_guess", f"was “{said(view.text)}” pushed up or down?", [UP, DOWN, NONE])
    if guess is None:
        return False
    about = st.query_params.get("guessed")
    if about is None:
        st.query_params["guessed"] = about = here
    if about == here:
        revealed(guess, _ANSWER[view.push], "Here is why.")
    return True


def verdict(view: TokenView, facts: Facts, whitened: bool) -> str:
    """All sentences of it, Markdown."""
    head = {"up": "**▲ Pushed up.**", "down": "**▼ Pushed down.**", "none": "**■ Not pushed.**"}[view.push]
    return " ".join([head, *_why(view, facts, whitened), *_clip(view), _moved(view)])


def _why(view: TokenView, facts: Facts, whitened: bool) -> list[str]:
    raw = view.raw_advantage
    parts = {"the score": view.of_score, "KL": view.of_kl, "the critic's expectations on the way": view.of_critic}
    if view.of_shift:
        parts["whitening the rewards"] = view.of_shift
    main = max(parts, key=lambda name: parts[name] * (1 if raw >= 0 else -1))
    listed = ", ".join(f"{name} {signed(value)}" for name, value in parts.items())
    how = "better" if raw >= 0 else "worse"
    words = [
        f"From here on it went **{number(abs(raw))}** {how} than the critic expected, "
        f"mainly because of {main} ({listed})."
    ]
    if not whitened:
        return words
    if raw * view.advantage < 0:
        did = "better" if view.advantage < 0 else "worse"
        words.append(
            f"But the update's average token did {did} still ({signed(facts.raw_mean)}): "
            f"whitened, its advantage is **{signed(view.advantage)}**."
        )
    else:
        words.append(
            f"Against all {facts.tokens:,} tokens of the update its advantage is **{signed(view.advantage)}**."
        )
    return words


def _clip(view: TokenView) -> list[str]:
    if not view.epochs:
        return ["The update was ended early, before it came to this response: no step learned from it."]
    held = [epoch for epoch in view.epochs if epoch.active == "clipped"]
    if not held:
        return []
    side = "above" if held[0].ratio > 1 else "below"
    passes = "its only pass" if len(view.epochs) == 1 else f"{len(held)} of {len(view.epochs)} passes"
    return [
        f"In {passes} the ratio was already {side} the band, where going further pays nothing: "
        "the clipped branch was active, and its gradient is 0."
    ]


def _moved(view: TokenView) -> str:
    before, after = math.exp(view.logprob), math.exp(view.new_logprob)
    change = f"from {share(before)} to {share(after)}"
    if abs(view.new_logprob - view.logprob) < _STILL:
        return f"With the update its probability hardly moved ({change})."
    way = "rose" if view.moved == "up" else "fell"
    if view.push == view.moved:
        return f"As intended: its probability {way} {change}."
    yet = "Its probability" if view.push == "none" else "Yet its probability"
    outweighed = "" if view.push == "none" else ", and outweighed its own"
    return f"{yet} {way} {change}: the gradients of other tokens act on the same weights{outweighed}."
