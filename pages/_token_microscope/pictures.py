"""The clipped objective with the token on it, and what else could have stood in its place."""

import streamlit as st

from core.alignment.ppo_reading.microscope import TokenView, alternatives, clip_curve, reach_of
from core.alignment.ppo_reading.slides import Slide
from core.figures.clipped_objective import Point, clipped_objective
from pages._parts import theme
from pages._parts.downloads import downloads
from pages._parts.next_tokens import next_tokens
from pages._token_microscope.words import said, share, word


def objective(view: TokenView, clip: float) -> None:
    """This token's curve, its point in every pass, and where the update left it."""
    ratios, curve = clip_curve(view.advantage, clip, reach_of(view, clip))
    points = [
        Point(epoch.ratio, min(epoch.unclipped, epoch.clipped), f"pass {epoch.epoch}", epoch.active,
              epoch.active == "unclipped")
        for epoch in view.epochs
    ]  # fmt: skip
    points.append(Point(view.ratio_after, view.objective_after(clip), "after the update", "", filled=False))
    plain = [ratio * view.advantage for ratio in ratios]
    st.markdown("**The clipped objective, and this token on it**")
    where = ", ".join(f"{point.moment} at ratio {point.ratio:.3f}" for point in points)
    st.vega_lite_chart(
        clipped_objective(ratios, curve, plain, points, clip, theme.dark()),
        key="objective",
        alt=f"The objective min(ρÂ, clip(ρ)Â) against the ratio ρ for Â = {view.advantage:+.3f}: {where}.",
    )
    downloads("objective", "clipped-objective", [["ratio", "objective"], *map(list, zip(ratios, curve, strict=True))])
    st.caption(_shape(view.advantage, clip))


def _shape(advantage: float, clip: float) -> str:
    band = f"Shaded: the band 1 ± ε, ε = {clip:g}. Dashed: ρÂ without the clip. "
    if advantage > 0:
        return band + (
            f"Â > 0: likelier pays, so the line climbs, but only up to 1 + ε = {1 + clip:g}; beyond it is flat, and a "
            "flat line has no gradient. To the left it never flattens: what became rarer can always come back."
        )
    if advantage < 0:
        return band + (
            f"Â < 0: rarer pays, so the line climbs to the left, but only down to 1 − ε = {1 - clip:g}; beyond it is "
            "flat, and a flat line has no gradient. To the right it never flattens: what became likelier may always be "
            "taken back."
        )
    return band + "Â = 0: the line lies flat everywhere, and nothing pushes."


def others(slide: Slide, view: TokenView) -> None:
    """The token and the likeliest others at its place, before and after the update."""
    found = alternatives(view)
    pieces = [f"{word(slide.texts[i])}{'  (drawn)' if i == view.token_id else ''}" for i, _, _ in found]
    st.markdown(f"**What else could have stood in the place of “{said(view.text)}”**")
    next_tokens(
        pieces,
        {"before the update": [before for _, before, _ in found], "after it": [after for _, _, after in found]},
        key="others",
        alt="Probabilities before and after the update of",
        download="alternatives",
    )
    both = [(i, before, after) for i, before, after in found if before is not None and after is not None]
    token, before, after = max(both, key=lambda each: abs(each[2] - each[1]))
    way = f"{'gained' if after >= before else 'lost'} {100 * abs(after - before):.3g} percentage points"
    st.caption(
        f"Most moved: {said(slide.texts[token])} {way} ({share(before)} → {share(after)}). "
        "No bar: the token was not among the five likeliest then, so its probability was not kept."
    )
