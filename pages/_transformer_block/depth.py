"""Along the depth: how long the stream is, what each part adds, and what happens without residuals or norms."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.errors import PlaygroundError
from core.figures.named_lines import NamedLine, named_lines
from core.figures.palette import CONCEPTS, TEXT, Colour
from core.gallery.build_block import NORMS_OFF_FROM
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.next_tokens import next_tokens
from pages._parts.predict import predict, revealed
from pages._parts.specimen import provenance
from pages._parts.text import escaped
from pages._transformer_block import opening
from pages._transformer_block.choice import Columns, choose_token
from pages._transformer_block.words import number, word

View = Mapping[str, Any]
IN_PLACE = "in place"
STREAM = Colour(TEXT.light, TEXT.dark, "")
NAMES = ("as trained", "taken out")
GUESSES = ("about as long", "10 to 1,000 times as long", "more than 1,000 times as long", "shorter")


def show(specimen: Specimen, text: str, sizes: View, columns: Columns) -> str:
    """Lengths, then the switches. Returns the claim that the lengths make."""
    with columns[1]:
        token = choose_token(sizes, text)
    data = opening.depth_of(specimen, text, sizes["ids"])
    _lengths(specimen, data, sizes, token)
    _switches(specimen, text, sizes)
    return claim(data, sizes, token)


def claim(data: View, sizes: View, token: int) -> str:
    """Which contribution is the longest at this token, and how the stream grew."""
    added = [row[token] for row in data["added"]]
    most = max(range(len(added)), key=added.__getitem__)
    part = "attention" if most % 2 == 0 else "the feed-forward part"
    begins, ends = data["stream"][0][token], data["stream"][-1][token]
    return (
        f"At “{word(sizes['pieces'][token])}” the stream grows from length {number(begins)} to {number(ends)} through "
        f"{sizes['layers']} layers; the longest thing ever added is {part} of layer {most // 2}, {number(added[most])}."
    )


def _lengths(specimen: Specimen, data: View, sizes: View, token: int) -> None:
    lines = (
        NamedLine("residual stream, after the layer", STREAM),
        NamedLine("attention adds", CONCEPTS["attention"]),
        NamedLine("feed-forward adds", CONCEPTS["feed_forward"]),
    )
    rows = []
    for layer in range(sizes["layers"]):
        values = (data["stream"][2 * layer + 2], data["added"][2 * layer], data["added"][2 * layer + 1])
        rows += [{"x": layer, "y": value[token], "line": one.name} for one, value in zip(lines, values, strict=True)]
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"**Length of the vectors at {escaped(sizes['pieces'][token])}**")
        st.vega_lite_chart(
            rows,
            named_lines(lines, theme.dark(), "layer", "length ‖·‖", points=True, log_y=True, height=240),
            key="lengths",
            alt=f"Lengths at {sizes['pieces'][token]}, layer by layer: the stream "
            + ", ".join(number(data["stream"][2 * layer + 2][token]) for layer in range(sizes["layers"])),
        )
        table = [[row["x"], row["line"], row["y"]] for row in rows]
        downloads("lengths", "contributions", [["layer", "vector", "length"], *table])
        provenance(data, specimen.id)
    with right:
        parts = [f"{layer} {part}" for layer in range(sizes["layers"]) for part in ("attention", "feed-forward")]
        st.markdown("**How much each addition is, at every token**")
        matrix(
            np.asarray(data["share"], float),
            parts,
            [f"{place} {piece}" for place, piece in enumerate(sizes["pieces"])],
            key="shares",
            alt="For every part and token, the length added over the length added and the length before together",
            template="{column}: layer {row} adds {value} of the two lengths",
            low=0.0,
            high=1.0,
            row_height=12,
        )
        st.caption(
            "‖added‖ / (‖added‖ + ‖stream before‖). *Look for* tokens that some layer nearly rewrites, often the "
            "first. *It does not show* whether what was added matters: a long vector may be ignored by all that read "
            "it."
        )
    show_code("core.anatomy.block_views:depth_view", "core.anatomy.block:residual_stream")


def _switches(specimen: Specimen, text: str, sizes: View) -> None:
    st.subheader("Take the residuals or the norms out", anchor=False)
    places = [IN_PLACE, *(f"out from layer {layer}" for layer in range(sizes["layers"]))]
    left, right, _ = st.columns([1, 1, 1], gap="medium")
    with left:
        residuals = st.selectbox("Residuals", places, key="residuals", bind="query-params")
    with right:
        default = min(NORMS_OFF_FROM, sizes["layers"] - 1) + 1
        norms = st.selectbox(sizes["norm"], places, default, key="norms", bind="query-params")
    offs = tuple(None if one == IN_PLACE else places.index(one) - 1 for one in (residuals, norms))
    if len(sizes["ids"]) < 2:
        st.info("A loss needs a next token: type at least two tokens.")
        return
    try:
        data = opening.without_of(specimen, text, sizes["ids"], *offs)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
        return
    what = _named(sizes, *offs)
    if offs == (None, None):
        st.info("Everything is in place: take something out to see what it carries.")
        return
    guess = predict("block_guess", f"{what}: how long will the stream be after the last layer?", GUESSES)
    if guess is None:
        return
    _reveal(data, guess, what)
    _curves(data, sizes)
    provenance(data, specimen.id)
    _prediction(data, sizes)
    show_code("core.anatomy.without:backward_through", "core.anatomy.block:trace_block")


def _named(sizes: View, residuals: int | None, norms: int | None) -> str:
    parts = [("Residuals", residuals), (sizes["norm"], norms)]
    return " and ".join(f"{name} out from layer {first}" for name, first in parts if first is not None)


def _reveal(data: View, guess: str, what: str) -> None:
    ratio = data["grown"] if _finite(data["grown"]) else math.inf
    right = GUESSES[3] if ratio < 0.5 else GUESSES[0] if ratio < 10 else GUESSES[1] if ratio <= 1000 else GUESSES[2]
    carried, now = data["carried"]
    loss, other = data["losses"]
    length = (
        f"**{number(ratio)} times** as long as in the trained model" if ratio < math.inf else "too long for float32"
    )
    revealed(
        guess,
        right,
        f"**{what}**: the stream leaves the last layer {length}. The loss goes from **{number(loss)}** to "
        f"**{number(other)}** nats per token. From the last layer back "
        f"to the input the gradient changes by a factor of {number(carried)} as trained, and {number(now)} now.",
    )


def _curves(data: View, sizes: View) -> None:
    lines = (NamedLine(NAMES[0], CONCEPTS["policy"]), NamedLine(NAMES[1], CONCEPTS["kl"]))
    titles = {
        "gradients": ("Gradient", "‖∂loss / ∂h‖ entering each layer"),
        "states": ("Stream", "‖h‖ entering each layer"),
    }
    for column, (name, (title, unit)) in zip(st.columns(2, gap="large"), titles.items(), strict=True):
        rows = [
            {"x": layer, "y": value if _finite(value) and value > 0 else None, "line": one.name}
            for one, values in zip(lines, data[name], strict=True)
            for layer, value in enumerate(values)
        ]
        gone = sum(row["y"] is None for row in rows)
        with column:
            st.markdown(f"**{title}** · {unit}; the last point leaves the last layer")
            st.vega_lite_chart(
                rows,
                named_lines(lines, theme.dark(), "layer", "length, log", points=True, log_y=True, height=200),
                key=f"without_{name}",
                alt=f"{unit}: as trained {_all(data[name][0])}; with parts taken out {_all(data[name][1])}",
            )
            table = [[row["x"], row["line"], row["y"] if row["y"] is not None else ""] for row in rows]
            downloads(f"without_{name}", f"without-{name}", [["layer", "model", "length"], *table])
            if gone:
                st.caption(f"{gone} values are 0 or more than float32 holds: a log axis cannot show them.")


def _prediction(data: View, sizes: View) -> None:
    left, right = st.columns([3, 2], gap="large")
    with left:
        last = escaped(sizes["pieces"][-1])
        st.markdown(f"**What comes after {last}?** The text's last token, whichever one is looked at above.")
        shares = ([value if _finite(value) else None for value in row] for row in data["probabilities"])
        next_tokens(
            data["pieces"],
            dict(zip(NAMES, shares, strict=True)),
            key="without_next",
            alt="Next token as trained and with parts taken out",
            download="without-next",
        )
    with right:
        st.markdown(
            f"The two distributions are **{number(data['kl'])} nats** apart (KL, full vocabulary). The final norm "
            "always stays, and the weights are those of the whole model: this shows what the parts carry in *this* "
            "network, not how well one trained without them would do."
        )


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _all(values: Sequence[float | None]) -> str:
    return ", ".join(number(value) for value in values)
