"""Part two: learned, sinusoidal and rotary positions side by side, and what their similarity knows."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.anatomy.positions import angles, turned, wavelengths
from core.anatomy.specimens import Specimen
from core.figures.named_lines import NamedLine, named_lines
from core.figures.palette import RUNS
from core.figures.turning import on_circle, turning
from pages._embeddings.views import Data, positions_of
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.specimen import cached_or_live, provenance

LENGTH = 64
KINDS = {"learned": "Learned", "sinusoidal": "Sinusoidal", "rotary": "Rotary (RoPE)"}
LOOKS = ("Similarity", "Vectors", "The rotation")


def placing(specimen: Specimen, rotary: bool) -> str:
    """Draw it; returns the claim. `rotary`: whether this model turns instead of adding."""
    look, length = _controls()
    learner, turner = ("storyteller", specimen.id) if rotary else (specimen.id, "")
    key = {"learner": learner, "turner": turner, "length": length}
    data = cached_or_live("embeddings_positions", key, lambda: positions_of(learner, turner, length))
    whose = {
        "learned": f"{learner}: found by training, added to the content",
        "sinusoidal": "Vaswani et al. 2017: fixed, added to the content",
        "rotary": f"{turner}: fixed, turns queries and keys"
        if turner
        else "Su et al. 2021: fixed, turns queries and keys",
    }
    if look == "The rotation":
        _rotation(np.asarray(data["theta"]))
    else:
        _side_by_side(data, look, whose)
    provenance(data, " and ".join(name for name in (learner, turner) if name))
    _equations(look)
    return _claim(data["spread"], learner)


def _controls() -> tuple[str, int]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        look = st.segmented_control("Look at", LOOKS, default=LOOKS[0], required=True, key="look", bind="query-params")
        if look == LOOKS[2]:
            return look, LENGTH
        length = st.select_slider(
            "Positions", [16, 32, 64, 128, 256], LENGTH, key="length", bind="query-params", width=260
        )
    return str(look), int(length)


def _claim(spread: dict[str, float], learner: str) -> str:
    fixed = max(spread["sinusoidal"], spread["rotary"])
    if fixed < 1e-6:
        return (
            "How alike two positions are is a matter of their distance alone for sinusoids and rotations (one sinusoid "
            f"by itself still says where it is); in {learner}, which learned its vectors, two pairs equally far apart "
            f"differ by up to {spread['learned']:.2f} in cosine."
        )
    return f"Similarity at one distance differs by up to {spread['learned']:.2f} (learned) and {fixed:.2g} (fixed)."


def _side_by_side(data: Data, look: str, whose: dict[str, str]) -> None:
    columns = st.columns(3, gap="medium")
    for column, (kind, title) in zip(columns, KINDS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.caption(whose[kind])
            if look == "Similarity":
                _similarity(np.asarray(data["similarity"][kind]), kind, title)
                _distance(np.asarray(data["by_distance"][kind], dtype=float), data["starts"], kind, title)
                st.caption(f"At one distance, entries lie up to **{data['spread'][kind]:.2g}** apart.")
            else:
                _vectors(np.asarray(data["vectors"][kind]), kind, title)
    if look == "Similarity":
        st.markdown(
            "**Look for** stripes along the diagonal: where all are straight, only distance counts, and the three "
            "lines below, from three starting positions, fall on one another. **It does not show** what attention "
            "makes of it: W_Q and W_K come in between."
        )


def _similarity(values: np.ndarray, kind: str, title: str) -> None:
    names = [str(place) for place in range(len(values))]
    matrix(
        values,
        names,
        names,
        key=f"similarity_{kind}",
        alt=f"{title} positions: similarity of every position with every other",
        template="positions {row} and {column}: {value}",
        signed=True,
        high=1.0,
        column_labels=False,
    )


def _distance(values: np.ndarray, starts: Sequence[int], kind: str, title: str) -> None:
    names = [f"from {start}" for start in starts]
    rows = [
        (distance, float(value), name)
        for name, row in zip(names, values, strict=True)
        for distance, value in enumerate(row)
        if np.isfinite(value)
    ]
    lines = [NamedLine(name, shade, width) for name, shade, width in zip(names, RUNS, (4.5, 3.0, 1.5), strict=False)]
    st.vega_lite_chart(
        {"x": [row[0] for row in rows], "y": [row[1] for row in rows], "line": [row[2] for row in rows]},
        named_lines(lines, theme.dark(), "distance", "similarity", height=230),
        key=f"distance_{kind}",
        alt=f"{title}: similarity against distance, from three starting positions",
        width="stretch",
    )
    downloads(f"distance_{kind}", f"distance_{kind}", [("distance", "similarity", "start"), *rows])


def _vectors(values: np.ndarray, kind: str, title: str) -> None:
    matrix(
        values,
        [str(place) for place in range(len(values))],
        [str(column) for column in range(values.shape[1])],
        key=f"vectors_{kind}",
        alt=f"{title} positions: a row a position, a column a "
        + ("pair of dimensions (cosine of its angle)" if kind == "rotary" else "dimension"),
        template=("position {row}, pair {column}: cos " if kind == "rotary" else "position {row}, dimension {column}: ")
        + "{value}",
        signed=True,
        largest=5,
        column_labels=False,
    )


def _rotation(theta: np.ndarray) -> None:
    """One pair as a point turning, its angle against position, and how fast each pair turns."""
    left, right = st.columns(2, gap="medium")
    pair = left.slider("Pair of dimensions", 0, len(theta) - 1, min(3, len(theta) - 1), key="pair", bind="query-params")
    place = right.slider("Position", 0, 63, 12, key="place", bind="query-params")
    angle = angles(theta, 64)
    picture, middle, last = st.columns(3, gap="medium")
    with picture:
        points = turned(np.array([1.0, 0.0]), angle[:, [pair]])
        st.vega_lite_chart(
            on_circle([(float(x), float(y)) for x, y in points], place),
            turning(theme.dark()),
            key="turning",
            alt=f"Pair {pair} as a point on a circle: by position {place} it has turned {angle[place, pair]:.2f} rad",
            width="content",
        )
        table = [("position", "x", "y"), *((at, *map(float, point)) for at, point in enumerate(points))]
        downloads("turning", f"pair_{pair}", table)
    with middle:
        names = {f"pair {index}": index for index in sorted({0, pair, len(theta) - 1})}
        rows = [(at, float(angle[at, index]), name) for name, index in names.items() for at in range(len(angle))]
        _lines(rows, list(names), "position", "angle (radians)", "angle", "Angle against position, of three pairs")
    with last:
        rows = [(index, float(value), "θ") for index, value in enumerate(theta)]
        _lines(rows, ["θ"], "pair", "radians a position", "frequency", "Frequency of every pair", log_y=True)
    full = wavelengths(theta)[pair]
    st.latex(
        rf"{place}\cdot\theta_{{{pair}}} = {place}\times {theta[pair]:.4g} = {angle[place, pair]:.3f}\ \text{{rad}}"
    )
    st.markdown(
        f"Pair {pair} is back where it began after **{full:,.0f}** positions. Fast pairs tell neighbours apart, slow "
        "ones far from near. **It does not show** the content: every query and key starts from an angle of its own."
    )


def _lines(
    rows: list[tuple[int, float, str]], names: list[str], x: str, y: str, key: str, alt: str, log_y: bool = False
) -> None:
    st.vega_lite_chart(
        {"x": [row[0] for row in rows], "y": [row[1] for row in rows], "line": [row[2] for row in rows]},
        named_lines([NamedLine(n, s) for n, s in zip(names, RUNS, strict=False)], theme.dark(), x, y, log_y=log_y),
        key=key,
        alt=alt,
        width="stretch",
    )
    downloads(key, key, [(x, y, "line"), *rows])


def _equations(look: str) -> None:
    st.subheader("The equations", anchor=False)
    st.latex(r"PE_{(t,2i)}=\sin\frac{t}{10000^{2i/d}},\quad PE_{(t,2i+1)}=\cos\frac{t}{10000^{2i/d}}")
    st.latex(r"\langle R_m q,\,R_n k\rangle=\langle q,\,R_{n-m}\,k\rangle,\quad \theta_i=\text{base}^{-2i/d}")
    functions = {
        "Similarity": ("similarity", "rotary_similarity", "spread"),
        "Vectors": ("learned", "sinusoids", "angles"),
        "The rotation": ("frequencies", "angles", "turned"),
    }[look]
    show_code(*(f"core.anatomy.positions:{name}" for name in functions))
