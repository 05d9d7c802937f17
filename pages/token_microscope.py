"""Token microscope: one token of one PPO update, and every number that pushed it up or down."""

import streamlit as st

from core.alignment.ppo_reading.microscope import COLOURED, NEVER_NEGATIVE, TokenView, coloured_by, full_tint, look_at
from core.alignment.ppo_reading.slides import Slide
from core.errors import PlaygroundError
from pages._parts.code import show_code
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.terms import prose
from pages._parts.text import escaped
from pages._token_microscope import choosing, numbers, pictures
from pages._token_microscope.choosing import Choice
from pages._token_microscope.responses import responses
from pages._token_microscope.source import Source
from pages._token_microscope.strip import strip
from pages._token_microscope.verdict import answered, ask, claim, verdict
from pages._token_microscope.words import said

TITLE = "Token microscope"
PLAIN = "Every token of every response was pushed up or down, and the numbers say why."


def main() -> None:
    top = st.container()
    first, second, third = st.columns([3, 1.2, 7.2], vertical_alignment="bottom")
    with first:
        source = choosing.choose_run()
    slide = None
    if source.updates:
        with second:
            update = choosing.choose_update(source)
        with third:
            what = choosing.choose_colour(answered())
        try:
            slide = source.slide(update)
        except PlaygroundError as error:
            st.error(escaped(str(error)))
    else:
        st.info("No update to look at yet: a PPO run keeps each of its rollouts, and they appear here.")
    with top:
        page_header("token_microscope", TITLE, claim(slide) if slide else PLAIN)
    if slide:
        _of_slide(source, slide, what)
        if gone := source.missing():
            st.caption(f"{gone} older rollouts and weights of this run had to make room on the disk.")
    _equation(slide)
    _closing()


def _of_slide(source: Source, slide: Slide, what: str) -> None:
    choice = choosing.chosen_token(slide)
    view = look_at(slide, choice.row, choice.place)
    _strip(slide, choice, what)
    source.badge(slide)
    _token(slide, view)
    st.subheader("All responses of this update", anchor=False)
    responses(slide, slide.numbers[choice.row], what, choosing.keep_response)


def _strip(slide: Slide, choice: Choice, what: str) -> None:
    row = choice.row
    colours = coloured_by(slide, what)[row].astype(float).tolist()
    ids = slide.tensors["response_ids"][row].tolist()
    strip(
        slide.prompts[row],
        [(slide.texts[int(ids[place])], colours[place]) for place in range(slide.length(row))],
        choice.place,
        choice.locked,
        colour=COLOURED[what],
        full=full_tint(slide, what),
        signed=what not in NEVER_NEGATIVE,
        alt=f"Response {slide.numbers[row] + 1} of update {slide.update} as tokens, coloured by {COLOURED[what][0]}",
        on_lock=lambda place: choosing.keep_token(slide, row, place),
    )


def _token(slide: Slide, view: TokenView) -> None:
    clip = float(slide.config["cliprange"])
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.markdown(f"**Why was “{said(view.text)}” pushed up or down?** "
                    f"Token {view.place + 1} of response {slide.numbers[view.row] + 1}.")  # fmt: skip
        revealed = ask(slide, view)
        if revealed:
            prose(verdict(view, slide.facts, bool(slide.config["whiten_advantages"])))
        numbers.log_probabilities(slide, view, revealed)
    if not revealed:
        with right:
            numbers.known_before(slide, view)
        return
    with right:
        pictures.objective(view, clip)
    numbers.passes(view, clip)
    st.markdown("**Its advantage, written out**")
    numbers.sums(slide, view)
    pictures.others(slide, view)


def _equation(slide: Slide | None) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\frac{\partial}{\partial \log\pi_\theta(a_t \mid s_t)} \min\big(\rho_t \hat A_t,\ "
        r"\operatorname{clip}(\rho_t, 1-\varepsilon, 1+\varepsilon)\,\hat A_t\big) = "
        r"\begin{cases} \rho_t \hat A_t & \text{unclipped branch active} \\ 0 & \text{clipped branch active}\end{cases}"
    )
    if slide:
        facts = slide.facts
        prose(
            f"In update {slide.update} the clipped branch was active for **{facts.clipped_tokens:,}** of "
            f"{facts.tokens:,} tokens in at least one pass. The sign is the advantage's: ρ is never below zero."
        )
    show_code(
        "core.alignment.ppo_reading.microscope:look_at",
        "core.alignment.ppo_losses:policy_loss",
        "core.alignment.gae:gae",
    )


def _closing() -> None:
    closing(
        [
            (
                "Only the last token is paid a score. Why are the others pushed at all?",
                "The advantage of a token sums the surprises δ from it to the end, fading by γλ a token. The score is "
                "one of them, so a share of it reaches every earlier token; the critic's changes of mind are the rest.",
            ),
            (
                "A token had Â > 0 and was pushed up, yet it became less likely. How?",
                "Its gradient asked for more of it. But all tokens share the same weights, and the step follows the "
                "sum of all gradients: those of other tokens can outweigh its own.",
            ),
            (
                "Why is the objective flat on one side only?",
                "The min takes the worse of the two branches. Going further the way Â asks earns nothing beyond the "
                "band; having gone the wrong way always has a gradient back.",
            ),
        ],
        "overview",
        "run the loop with votes of your own, and put its tokens under the microscope.",
    )


main()
