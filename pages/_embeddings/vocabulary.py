"""Part three: the vocabulary as a map, a token and its neighbours in it, and the sentence's way through it."""

from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.projection import has_umap
from core.anatomy.specimens import Specimen
from core.anatomy.vocabulary import tokens_of_word
from core.anatomy.word_classes import KINDS, LETTERS, frequency_classes
from core.figures.palette import RUNS, sequential
from core.figures.token_bars import token_bars
from core.language.tokens import pieces_of
from pages._embeddings.cloud import cloud, locked_token
from pages._embeddings.projecting import projected
from pages._embeddings.views import Data, cloud_of, grouping_of, map_of, neighbours_of, read
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.specimen import cached_or_live, opened, provenance
from pages._parts.text import escaped

WORD = "dog"
METHODS = {"PCA": "pca", "t-SNE": "tsne", "UMAP": "umap"}
COLOURS = ("Frequency", "Kind", "Letter")


def vocabulary(specimen: Specimen, text: str) -> str:
    """Draw it; returns the claim."""
    word, colour, solid, method, path = _controls()
    locked = locked_token("cloud", 10_000_000)
    key = {"model": specimen.id, "word": word, "locked": locked}
    data = cached_or_live("embeddings_vocabulary", key, lambda: _look_up(specimen, word, locked))
    found = data["neighbours"]
    near = [one["id"] for one in found["nearest"]] if found else []
    on_path = _path(specimen, text) if path else []
    view, note = _drawn(specimen, data, [*near, *([found["id"]] if found else []), *on_path])
    picture, beside = st.columns([5, 2], gap="medium")
    with picture:
        points, axes = _coordinates(specimen, view, method, 3 if solid else 2)
        _draw(view, points, axes, colour, found, [] if on_path else near, on_path)
        st.caption(note + " " + _measured(data["grouping"], view, colour))
        provenance(
            data, specimen.id, f"{method} · python -m core gallery" if data["provenance"] == "cached" else method
        )
    with beside:
        _neighbours(found, data["split"], word)
    _equation(found)
    return _claim(found, word)


def _controls() -> tuple[str, str, bool, str, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        word = st.text_input(
            "Search a token", WORD, key="word", bind="query-params", max_chars=60, on_change=_unlock, width=220
        )
        colour = st.segmented_control(
            "Colour by",
            COLOURS,
            default=COLOURS[0],
            required=True,
            key="colour",
            bind="query-params",
            on_change=_recoloured,
        )
        solid = st.toggle("3-D", key="solid", bind="query-params")
        with st.popover("More"):
            methods = [name for name in METHODS if name != "UMAP" or has_umap()]
            method = st.segmented_control(
                "Map by", methods, default="PCA", required=True, key="method", bind="query-params"
            )
            if not has_umap():
                st.caption("UMAP comes with the optional package umap-learn.")
            path = st.toggle("The way of my sentence", key="path", bind="query-params")
    return word, str(colour), solid, str(method), path


def _recoloured() -> None:
    """One colour shown alone is another one now."""
    st.query_params.pop("cloud_only", None)


def _unlock() -> None:
    """A new search is a new token in question."""
    st.query_params.pop("cloud", None)


def _look_up(specimen: Specimen, word: str, locked: int | None) -> Data:
    tokenizer = opened(specimen.id)[1]
    ids = tokens_of_word(tokenizer, word) if locked is None or locked >= len(tokenizer) else [locked]
    ids = [token for token in ids if token < len(cloud_of(specimen.id).vectors)]
    return {
        "map": map_of(specimen.id, ()),
        "grouping": grouping_of(specimen.id),
        "neighbours": neighbours_of(specimen.id, ids[0]) if ids else None,
        "split": pieces_of(tokenizer, ids),
    }


def _path(specimen: Specimen, text: str) -> list[int]:
    return read(specimen, text).ids if text else []


def _drawn(specimen: Specimen, data: Data, wanted: list[int]) -> tuple[Data, str]:
    """The map with every wanted token in it, and what is to be said of those that are not drawn."""
    view = data["map"]
    if not set(wanted) <= set(map(int, view["ids"])):
        view = map_of(specimen.id, tuple(sorted(set(wanted))))
    drawn, every = len(view["ids"]), view["vocabulary"]
    if drawn == every:
        return view, f"All {every:,} tokens are drawn."
    return view, f"{drawn:,} of {every:,} tokens are drawn, those seen most and the earliest merges; all are searched."


def _coordinates(specimen: Specimen, view: Data, method: str, dimensions: int) -> tuple[np.ndarray, list[str]]:
    ids = np.asarray(view["ids"])
    if method != "PCA":
        made = projected(specimen.id, METHODS[method], dimensions, ids)
        if made is not None:
            return made, [f"{method} {axis + 1}" for axis in range(dimensions)]
    points = np.asarray(view["points"])[:, :dimensions]
    return points, [f"axis {axis + 1}, {view['share'][axis]:.1%} of variance" for axis in range(dimensions)]


def _draw(
    view: Data, points: np.ndarray, axes: list[str], colour: str, found: Data | None, near: list[int], path: list[int]
) -> None:
    shades, colours, legend = _colouring(view, colour)
    drawn = np.isfinite(points).all(axis=1)
    kept: dict[str, list[Any]] = {
        name: [value for value, keep in zip(values, drawn, strict=True) if keep]
        for name, values in (
            ("ids", view["ids"]),
            ("pieces", view["pieces"]),
            ("notes", _notes(view)),
            ("shades", shades),
        )
    }
    cloud(
        points[drawn],
        [int(token) for token in kept["ids"]],
        kept["pieces"],
        kept["notes"],
        shades=[int(shade) for shade in kept["shades"]],
        colours=colours,
        legend=legend,
        axes=axes,
        key="cloud",
        alt=f"A map of {int(drawn.sum()):,} tokens coloured by {colour.lower()}"
        + (f"; {found['piece']} is joined with its {len(near)} nearest" if found and near else "")
        + (f"; the sentence is a way through {len(path)} of them" if path else ""),
        focus=found["id"] if found else None,
        near=near,
        path=path,
        download="vocabulary",
    )


def _colouring(view: Data, colour: str) -> tuple[list[int], list[str], list[str]]:
    """Which colour each token has, the colours, and their names."""
    dark = theme.dark()
    if colour == "Frequency":
        shades, legend = frequency_classes(np.asarray(view["counts"]))
        ramp = sequential(dark)[2:]
        steps = [ramp[round(at * (len(ramp) - 1) / (len(legend) - 1))] for at in range(len(legend))]
        last = len(legend) - 1
        return [last - int(shade) for shade in shades], steps[::-1], legend[::-1]  # what comes first lies on top
    wheel = [shade.on(dark) for shade in RUNS]
    if colour == "Kind":
        named = len(KINDS) - 2  # then other words, pale, and what is no whole word, grey
        kinds = [-1 if kind > named else int(kind) for kind in view["kinds"]]
        return kinds, [*wheel[:named], sequential(dark)[3]], list(KINDS[: named + 1])
    return [int(at) for at in view["letters"]], [wheel[at % len(wheel)] for at in range(26)], list(LETTERS)


def _notes(view: Data) -> list[str]:
    return [
        f"{KINDS[int(kind)]} · seen {int(count):,} times"
        for kind, count in zip(view["kinds"], view["counts"], strict=True)
    ]


def _measured(grouping: Data, view: Data, colour: str) -> str:
    """What the colours can be measured by."""
    if colour == "Frequency":
        axis = max(range(len(grouping["frequency"])), key=lambda at: abs(grouping["frequency"][at]))
        return (
            f"Frequency is counted in the prompts and responses bundled with this program: {view['counted']:,} tokens, "
            f"in which {view['seen']:,} of {view['vocabulary']:,} occur. Axis {axis + 1} goes with it most (rank "
            f"correlation {grouping['frequency'][axis]:+.2f}): "
            + (
                "much of the cloud's shape is how often, not what."
                if abs(grouping["frequency"][axis]) > 0.5
                else "little of the cloud's shape is how often."
            )
        )
    one = grouping["kind" if colour == "Kind" else "letter"]
    rule = (
        "The kind is a rule of thumb: closed classes by a list, others by their ending; grey is no whole word. "
        if colour == "Kind"
        else "Colours repeat after eight letters: click one below the map to see it alone. "
    )
    return (
        f"{rule}Of a token's ten nearest, **{one['share']:.0%}** share its "
        f"{'kind' if colour == 'Kind' else 'first letter'}; by chance it would be {one['chance']:.0%}."
    )


def _neighbours(found: Data | None, split: list[str], word: str) -> None:
    if found is None:
        st.info("Type a word, or `#` and a token id." if not word.strip() else "There is no such token.")
        return
    if len(split) > 1:
        st.info(escaped(f"“{word}” is no single token here but {' + '.join(split)}; the first is looked up."))
    st.markdown(f"**Nearest to {escaped(found['piece'])}** by cosine")
    near = found["nearest"]
    st.vega_lite_chart(
        {
            "token": [f"{one['piece']}  #{one['id']}" for one in near],
            "value": [one["cosine"] for one in near],
            "note": ["" for _ in near],
        },
        token_bars([one["cosine"] for one in near], theme.dark(), "cosine"),
        key="neighbours",
        alt="Nearest tokens by cosine: " + ", ".join(f"{one['piece']} {one['cosine']:.2f}" for one in near),
        width="stretch",
    )
    table = [("id", "token", "cosine"), *((one["id"], one["piece"], one["cosine"]) for one in near)]
    downloads("neighbours", "neighbours", table)


def _equation(found: Data | None) -> None:
    st.subheader("The equation", anchor=False)
    numbers = ""
    if found and found["nearest"]:
        nearest = found["nearest"][0]
        numbers = rf"\qquad \cos(e_{{{found['id']}}}, e_{{{nearest['id']}}}) = {nearest['cosine']:.3f}"
    st.latex(r"\cos(a, b) = \frac{a \cdot b}{\lVert a \rVert\, \lVert b \rVert}" + numbers)
    st.markdown(
        "**Look for** islands of one colour, and whether the joined neighbours lie close on the map. Often they do "
        "not: "
        "**a plane shows little of so many dimensions**, while the cosines use all of them."
    )
    show_code(
        "core.anatomy.vocabulary:principal_axes",
        "core.anatomy.vocabulary:nearest",
        "core.anatomy.word_classes:counted",
        "core.anatomy.word_classes:kind_of_word",
    )


def _claim(found: Data | None, word: str) -> str:
    if not found or not found["nearest"]:
        return "Tokens that are used alike have vectors that point alike."
    near = found["nearest"]
    named = ", ".join(f"“{one['piece']}” ({one['cosine']:.2f})" for one in near[:3])
    if near[0]["cosine"] < 0.25:
        return f"Nothing lies near “{found['piece']}”: the best are {named}."
    return f"Nobody told the model what words mean, yet nearest to “{found['piece']}” lie {named}."
