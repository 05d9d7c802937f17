"""Part four: one word in two places, through the layers."""

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.named_lines import NamedLine, named_lines
from core.figures.palette import CONCEPTS, RUNS
from core.figures.ways import ways
from pages._embeddings.views import Data, context_of, default_pair, input_of, read
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.specimen import cached_or_live, provenance


def context(specimen: Specimen, text: str) -> str:
    """Draw it; returns the claim."""
    key = {"model": specimen.id, "sentence": text}
    tokens = cached_or_live("embeddings", key, lambda: input_of(specimen.id, tuple(read(specimen, text).ids)))["tokens"]
    ids = tuple(int(token["id"]) for token in tokens)
    suggested = default_pair(ids)
    if suggested is None:
        st.info("Two tokens are needed: write a longer sentence, best with one word twice.")
        return "A token's vector changes with what stands before it."
    names = [f"{place}  {token['piece']}" for place, token in enumerate(tokens)]
    first, second = _pair(names, suggested)
    wanted = key | {"pair": [first, second]}
    data = cached_or_live("embeddings_context", wanted, lambda: context_of(specimen.id, ids, (first, second)))
    left, right = st.columns(2, gap="large")
    with left:
        _similarity(data)
    with right:
        _ways(data, names, first, second)
    provenance(data, specimen.id)
    same, others, own = (np.asarray(data[name], dtype=float) for name in ("same", "others", "content"))
    st.subheader("The equation", anchor=False)
    st.latex(
        rf"\cos\big(h_{{{first}}}^{{(l)}}, h_{{{second}}}^{{(l)}}\big):\quad l=0:\ {same[0]:.3f},\qquad "
        rf"l={len(same) - 1}:\ {same[-1]:.3f}"
    )
    st.markdown(
        "The dashed line is what to measure by: how much *different* tokens of this sentence have in common at that "
        f"depth. The dotted one says what is left of the token's own vector: **{own[0]:.2f}** at the start, "
        f"**{own[-1]:.2f}** at the end. **It does not show** what the new direction means; the logit lens asks that."
    )
    show_code("core.anatomy.contextual:residual_states", "core.anatomy.contextual:self_similarity")
    return _claim(tokens, first, second, same, others)


def _pair(names: list[str], suggested: tuple[int, int]) -> tuple[int, int]:
    """Two positions, kept in the URL as long as the sentence is the same."""
    if st.session_state.setdefault("context_of", names) != names:
        st.session_state["context_of"] = names
        for name in ("first", "second"):
            st.query_params.pop(name, None)
    chosen = []
    labels = ("One token", "first"), ("The other", "second")
    for column, (label, name), fallback in zip(st.columns(2, gap="medium"), labels, suggested, strict=True):
        asked = st.query_params.get(name, "")
        start = int(asked) if asked.isascii() and asked.isdecimal() and int(asked) < len(names) else fallback
        key = "-".join([name, *names])  # another sentence has a choice of its own
        place = column.selectbox(label, range(len(names)), start, format_func=lambda at: names[at], key=key)
        if place == fallback:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = str(place)
        chosen.append(place)
    return chosen[0], chosen[1]


def _similarity(data: Data) -> None:
    named = {
        "these two": ("same", RUNS[0]),
        "other tokens": ("others", CONCEPTS["reference"]),
        "their own content": ("content", RUNS[2]),
    }
    rows = [
        (layer, value, name)
        for name, (field, _) in named.items()
        for layer, value in enumerate(np.asarray(data[field], dtype=float).tolist())
        if np.isfinite(value)
    ]
    st.markdown("**How alike they are**, layer by layer")
    st.vega_lite_chart(
        {"x": [row[0] for row in rows], "y": [row[1] for row in rows], "line": [row[2] for row in rows]},
        named_lines(
            [NamedLine(name, shade) for name, (_, shade) in named.items()],
            theme.dark(),
            "after layer",
            "cosine",
            height=300,
            points=True,
        ),
        key="alike",
        alt="Cosine of the two tokens' states after every layer, of other tokens, and with their own content vectors",
        width="stretch",
    )
    downloads("alike", "alike", [("layer", "cosine", "line"), *rows])


def _ways(data: Data, names: list[str], first: int, second: int) -> None:
    points = np.asarray(data["points"], dtype=float)
    last = len(points) - 1
    rows = [
        (float(x), float(y), layer, names[place], {0: "in", last: "out"}.get(layer, ""))
        for layer, states in enumerate(points)
        for place, (x, y) in enumerate(states)
    ]
    st.markdown("**Where they go**: every token's way through the layers")
    columns = list(zip(*rows, strict=True))
    st.vega_lite_chart(
        {name: list(column) for name, column in zip(("x", "y", "layer", "way", "label"), columns, strict=True)},
        ways((names[first], names[second]), theme.dark(), (data["share"][0], data["share"][1])),
        key="ways",
        alt=f"The ways of {names[first]} and {names[second]} through the layers, in the plane of the two longest axes",
        width="stretch",
    )
    downloads("ways", "ways", [("axis 1", "axis 2", "layer", "token", "label"), *rows])


def _claim(tokens: list[Data], first: int, second: int, same: np.ndarray, others: np.ndarray) -> str:
    one, other = tokens[first]["piece"], tokens[second]["piece"]
    who = f"“{one}” at {first} and at {second}" if one == other else f"“{one}” and “{other}”"
    change, lead = same[-1] - same[0], same - others
    base = f" Their lead over other tokens went from {lead[0]:.2f} to {lead[-1]:.2f}." if np.isfinite(lead[-1]) else ""
    done = "moved them apart" if change < -0.02 else "drawn them together" if change > 0.02 else "hardly changed that"
    return (
        f"{who}: cosine {same[0]:.2f} when they enter, {same[-1]:.2f} after the last layer; context has {done}.{base}"
    )
