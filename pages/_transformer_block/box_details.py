"""What stands behind a box of the block: its numbers, its equation with them, and the code that ran."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.figures.activation import activation
from core.figures.token_bars import token_bars
from pages._parts import site, theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.terms import prose
from pages._transformer_block.words import number

View = Mapping[str, Any]
TOKEN_LIMIT = 48  # columns of the small matrix of heads


def show(box: str | None, data: View, sizes: View, layer: int, token: int) -> None:
    """The open box; the whole block when none is."""
    if box in ("attention_input", "feed_forward_input"):
        _norm(box, data, sizes)
    elif box == "attention":
        _attention(data, sizes, layer, token)
    elif box == "feed_forward":
        _feed_forward(data, sizes)
    elif box == "entering":
        _entering(data)
    elif box == "between":
        _add("x'", "x", "Attention(Norm(x))", ("entering", "attention", "between"), data)
    elif box == "leaving":
        _add("y", "x'", "FeedForward(Norm(x'))", ("between", "feed_forward", "leaving"), data)
    else:
        _whole(data)


def _whole(data: View) -> None:
    st.latex(r"x' = x + \text{Attention}(\text{Norm}(x)) \qquad\qquad y = x' + \text{FeedForward}(\text{Norm}(x'))")
    n, c = data["norms"], data["cosines"]
    st.markdown(
        f"Here ‖x‖ = **{number(n['entering'])}**, attention adds a vector of **{number(n['attention'])}** and the "
        f"feed-forward part one of **{number(n['feed_forward'])}**; y has length **{number(n['leaving'])}**. Lengths "
        f"do not simply add: the two vectors stand at cos = **{c['attention']:+.2f}** and **{c['feed_forward']:+.2f}** "
        "to the stream they are added to. Open a box for its own numbers."
    )
    show_code("core.anatomy.block:trace_block", "core.anatomy.block:residual_stream")


def _entering(data: View) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.latex(rf"x = {_vector(data['first']['entering'])}")
        prose(
            "The residual stream of this token: its embedding, and all that earlier layers have added. Whatever stands "
            "in it, the final norm and the unembedding can be applied to it here already: that is what it *reads as*."
        )
        show_code("core.anatomy.block:embed", "core.anatomy.logit_lens:read_one")
    with right:
        _reads(data["reads"]["entering"])


def _add(result: str, before: str, part: str, names: Sequence[str], data: View) -> None:
    x, added, total = (data["first"][name] for name in names)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.latex(rf"{result} = {before} + \text{{{part.split('(')[0]}}}(\text{{Norm}}({before}))")
        st.latex(rf"\begin{{aligned}}{_vector(x)} & \\ +\ {_vector(added)} & \\ =\ {_vector(total)} &\end{{aligned}}")
        prose(
            "An addition, and nothing else: what stood in the stream still stands in it, and on the way back the "
            "gradient goes through it unchanged. Switch it off under *Along the depth*."
        )
        show_code("core.anatomy.block:trace_block")
    with right:
        _reads(data["reads"][names[2]])


def _norm(box: str, data: View, sizes: View) -> None:
    part, source = ("attention", "entering") if box == "attention_input" else ("feed_forward", "between")
    taken, x, y = data["statistics"][part], data["first"][source], data["first"][box]
    if sizes["norm"] == "LayerNorm":
        st.latex(r"\text{LayerNorm}(x) = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} \odot \gamma + \beta")
        numbers = rf"\mu = {taken['mean']:.4f},\quad \sigma^2 = {taken['variance']:.2f}"
        first = (
            rf"\frac{{{x[0]:.3f} - {_signed(taken['mean'])}}}{{\sqrt{{{taken['variance']:.2f}}}}} \cdot "
            rf"{_signed(taken['gain'][0])} + {_signed(taken['bias'][0])} = {y[0]:.3f}"
        )
        words = "the mean is taken out, the spread made 1"
    else:
        st.latex(r"\text{RMSNorm}(x) = \frac{x}{\sqrt{\tfrac{1}{n}\sum_i x_i^2 + \varepsilon}} \odot \gamma")
        numbers = rf"\tfrac{{1}}{{n}}\textstyle\sum_i x_i^2 = {taken['mean_square']:.3f}"
        scaled = rf"\frac{{{x[0]:.3f}}}{{\sqrt{{{taken['mean_square']:.3f}}}}}"
        first = rf"{scaled} \cdot {_signed(taken['gain'][0])} = {y[0]:.3f}"
        words = "the length is taken out; the mean, unlike in LayerNorm, stays"
    st.latex(rf"{numbers},\quad \varepsilon = {_scientific(taken['eps'])} \qquad\quad {first}")
    st.latex(rf"{_vector(x)} \;\to\; {_vector(y)}")
    prose(
        f"This token by itself, no other looked at: {words}, then each dimension stretched by a learned γ. So the part "
        "behind it sees numbers of one size, however long the stream has become. The stream itself is not normalised."
    )
    show_code("core.anatomy.block:normalise", "core.anatomy.parts:normalised_with")


def _attention(data: View, sizes: View, layer: int, token: int) -> None:
    weights = np.asarray(data["weights"], float)
    first = max(0, weights.shape[1] - TOKEN_LIMIT)
    pieces = sizes["pieces"][first : token + 1]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**What each head looks at from here**")
        matrix(
            weights[:, first:],
            [f"head {head}" for head in range(len(weights))],
            [f"{first + place} {piece}" for place, piece in enumerate(pieces)],
            key="block_heads",
            alt=f"Attention weights of the {len(weights)} heads of layer {layer} at {sizes['pieces'][token]}",
            template="{row} puts {value} of its weight on {column}",
            low=0.0,
            high=1.0,
            largest=26,
        )
        if first:
            st.caption(f"The last {TOKEN_LIMIT} positions; {first} before them are not shown.")
    with right:
        st.latex(r"\sum_{\text{heads}} \text{softmax}\Big(\tfrac{QK^\top}{\sqrt d} + \text{mask}\Big) V\, W_O")
        prose(
            "The only part of a block in which tokens meet. It reads the normalised stream of this token and of those "
            f"before it, and adds a vector of length **{number(data['norms']['attention'])}**. The weights say where "
            "it read, not what that changed: attention is not explanation."
        )
        st.page_link(site.page("attention"), label="Open a head, step by step", icon=":material/arrow_forward:")
    show_code("core.anatomy.block:attend", "core.anatomy.attention:split_heads")


def _feed_forward(data: View, sizes: View) -> None:
    gated = sizes["activation"] == "SwiGLU"
    name = "SiLU(x) = x · σ(x)" if gated else "GELU(x)"
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**{len(data['pre']):,} units, each at what this token gives it**")
        curve = data["curve"]
        st.vega_lite_chart(
            activation(curve["x"], curve["y"], data["pre"], curve["activated"], name, theme.dark()),
            key="activation",
            alt=f"{name}: this token's pre-activations lie between {min(data['pre']):.2f} and {max(data['pre']):.2f}",
        )
        table = [["unit", "pre_activation", "activated", "hidden"]]
        rows = zip(data["pre"], curve["activated"], data["hidden"], strict=True)
        downloads("activation", "feed-forward", table + [[unit, *row] for unit, row in enumerate(rows)])
    with right:
        if gated:
            st.latex(r"\big(\text{SiLU}(xW_\text{gate}) \odot xW_\text{up}\big)\,W_\text{down}")
        else:
            st.latex(r"\text{GELU}(xW_\text{in} + b_\text{in})\,W_\text{out} + b_\text{out}")
        awake = sum(value > 0 for value in data["pre"])
        best = data["units"][0]
        st.markdown(
            f"{sizes['width']} numbers become {len(data['pre']):,}, pass the curve one by one, and become "
            f"{sizes['width']} again. **{awake:,}** of them are above 0 here; the others are nearly shut. Unit "
            f"**{best['unit']}** writes most: given {best['pre']:+.2f}, it adds a vector of length "
            f"**{number(best['written'])}**. No other token is looked at."
        )
        after = "after curve and gate" if gated else "after the curve"
        st.dataframe(
            [
                {"unit": one["unit"], "given": one["pre"], after: one["hidden"], "writes, length": one["written"]}
                for one in data["units"]
            ],
            hide_index=True,
            key="units",
        )
    show_code("core.anatomy.block:feed_forward")


def _reads(best: Sequence[View]) -> None:
    st.markdown("**What the stream reads as here**")
    rows = [
        {"token": f"{place + 1}  {one['piece']}", "value": one["probability"], "note": f"{one['probability']:.2%}"}
        for place, one in enumerate(best)
    ]
    st.vega_lite_chart(
        rows,
        token_bars(
            [row["value"] for row in rows], theme.dark(), "probability, if the model stopped here", number=".1%"
        ),
        key="reads",
        alt="; ".join(f"{one['piece']} {one['probability']:.1%}" for one in best),
    )
    downloads("reads", "reads-as", [["token", "probability"], *([row["token"], row["value"]] for row in rows)])


def _vector(numbers: Sequence[float]) -> str:
    return r"\big(" + r",\ ".join(f"{value:.3f}" for value in numbers) + r",\ \dots\big)"


def _signed(value: float) -> str:
    """A number behind a sign."""
    return f"{value:.3f}" if value >= 0 else f"({value:.3f})"


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.0e}".split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
