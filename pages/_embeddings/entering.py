"""Part one: the tokens of the sentence, and content + position = input."""

import numpy as np
import streamlit as st

from core.anatomy.repeats import repeated
from core.anatomy.specimens import Specimen
from core.anatomy.vocabulary import cosine, length
from pages._embeddings.tokens import chosen_token, tokens
from pages._embeddings.views import Data, input_of, read
from pages._parts.code import show_code
from pages._parts.matrix import matrix
from pages._parts.specimen import cached_or_live, provenance
from pages._parts.terms import prose
from pages._parts.text import escaped

SHOWN = 4  # numbers written out


def entering(specimen: Specimen, text: str) -> str:
    """Draw it; returns the claim."""
    key = {"model": specimen.id, "sentence": text}
    data = cached_or_live("embeddings", key, lambda: input_of(specimen.id, tuple(read(specimen, text).ids)))
    ids = [token["id"] for token in data["tokens"]]
    twice = repeated(ids)
    locked = chosen_token("token", len(ids))
    chosen = locked if locked is not None else twice[0][1] if twice else len(ids) - 1
    twin = next((place for place, token in enumerate(ids) if token == ids[chosen] and place != chosen), None)
    tokens(data["tokens"], chosen, key="token")
    if data["turned"]:
        claim = _turned(data, chosen, twin, specimen)
    else:
        claim = _added(data, chosen, twin, specimen)
    provenance(data, specimen.id)
    return claim


def _added(data: Data, chosen: int, twin: int | None, specimen: Specimen) -> str:
    content, position, entered = (np.asarray(data["vectors"][name]) for name in ("content", "position", "input"))
    piece = data["tokens"][chosen]["piece"]
    places = sorted(place for place in (chosen, twin) if place is not None)
    whole = _whole_sentence()
    if whole:
        _sentence_strip({"content": content, "position": position, "input": entered}[whole], data, whole)
    else:
        rows, names = [content[chosen]], [f"content {piece}"]
        for place in places:
            rows += [position[place], entered[place]]
            names += [f"+ position {place}", f"= input {place}"]
        cell = matrix(
            np.stack(rows),
            names,
            [str(column) for column in range(content.shape[1])],
            key="sum",
            alt=f"The content vector of {piece}, its position vectors, and their sums, dimension by dimension",
            template="{row}, dimension {column}: {value}",
            signed=True,
            row_height=22,
            column_labels=False,
        )
    st.subheader("The equation", anchor=False)
    first = cell[1] if not whole and cell else 0
    _written(content[chosen], position[chosen], entered[chosen], chosen, data["tokens"][chosen]["id"], first)
    norms = length(content[chosen]), length(position[chosen])
    prose(
        f"This content vector is **{norms[0]:.2f}** long, its position vector **{norms[1]:.2f}**; each of the "
        f"{content.shape[1]} dimensions is a plain sum. **Look for** dimensions where the position row is strong: "
        "there the model keeps *where*. **It does not show** what a dimension means: single ones rarely mean anything."
    )
    show_code("core.anatomy.embeddings:content_plus_position", "core.language.tokens:read_sentence")
    if twin is None:
        alike = cosine(content[chosen], entered[chosen])
        return (
            f"What enters the model for “{piece}” is its content vector plus that of position {chosen}: "
            f"the sum has cosine {alike:.2f} with the content alone."
        )
    alike = cosine(entered[chosen], entered[twin])
    first_place, second_place = places
    return (
        f"“{piece}” has one content vector, but two inputs: with position {first_place} and position {second_place} "
        f"added, their cosine is {alike:.2f}, no longer 1."
    )


def _turned(data: Data, chosen: int, twin: int | None, specimen: Specimen) -> str:
    content = np.asarray(data["vectors"]["content"])
    query, turned = np.asarray(data["turned"]["query"]), np.asarray(data["turned"]["turned"])
    piece = data["tokens"][chosen]["piece"]
    places = sorted(place for place in (chosen, twin) if place is not None)
    prose(
        f"**{escaped(specimen.title)} adds no position vector**: the content vector is the input. Position enters "
        "later, in every layer, as a rotation of each head's queries and keys."
    )
    if _whole_sentence(("input",)):
        _sentence_strip(content, data, "input")
    else:
        columns = [str(column) for column in range(query.shape[1])]
        matrix(
            np.stack([query[chosen], *(turned[place] for place in places)]),
            [f"query {piece}", *(f"turned to {place}" for place in places)],
            columns,
            key="sum",
            alt=f"A query of {piece} in the first head, before and after its rotation by position",
            template="{row}, dimension {column}: {value}",
            signed=True,
            row_height=22,
            column_labels=False,
        )
    st.subheader("The equation", anchor=False)
    half = query.shape[1] // 2
    first = float(data["turned"]["theta"][0])
    turn = f"{chosen}" if first == 1 else f"{chosen * first:.3g}"
    a, b = query[chosen][0], query[chosen][half]
    c, d = turned[chosen][0], turned[chosen][half]
    st.latex(
        rf"R_{{{chosen}}}\begin{{pmatrix}}q_0\\q_{{{half}}}\end{{pmatrix}}"
        rf"=\begin{{pmatrix}}\cos {turn}&-\sin {turn}\\\sin {turn}&\cos {turn}\end{{pmatrix}}"
        rf"\begin{{pmatrix}}{a:.3f}\\{b:.3f}\end{{pmatrix}}=\begin{{pmatrix}}{c:.3f}\\{d:.3f}\end{{pmatrix}}"
    )
    lengths = length(query[chosen]), length(turned[chosen])
    st.markdown(
        f"The first pair turns by {'one radian' if first == 1 else f'{first:.3g} radians'} a position, later pairs "
        f"more slowly. The query is **{lengths[0]:.3f}** long before and **{lengths[1]:.3f}** after: a rotation "
        "changes directions, never lengths."
    )
    show_code("core.anatomy.embeddings:turned_queries", "core.anatomy.parts:rotate")
    if twin is None:
        alike = cosine(query[chosen], turned[chosen])
        return f"No position is added: position {chosen} turns the query of “{piece}” (cosine {alike:.2f} to before)."
    alike = cosine(turned[chosen], turned[twin])
    return (
        f"“{piece}” enters twice as the very same vector; only rotation tells position {places[0]} from {places[1]}: "
        f"turned, its two queries in the first head have cosine {alike:.2f}."
    )


def _whole_sentence(choices: tuple[str, ...] = ("content", "position", "input")) -> str | None:
    """Which matrix of the whole sentence is asked for; None for the chosen token alone."""
    options = ["This token", *(f"All tokens: {name}" for name in choices)]
    asked = st.segmented_control(
        "Show",
        options,
        default=options[0],
        required=True,
        key="shown",
        bind="query-params",
        label_visibility="collapsed",
    )
    return None if asked == options[0] else str(asked).removeprefix("All tokens: ")


def _sentence_strip(values: np.ndarray, data: Data, what: str) -> None:
    matrix(
        values,
        [f"{place} {token['piece']}" for place, token in enumerate(data["tokens"])],
        [str(column) for column in range(values.shape[1])],
        key="strips",
        alt=f"The {what} vectors of all tokens, a row each",
        template="{row}, dimension {column}: {value}",
        signed=True,
        row_height=22 if len(values) <= 24 else 0,
        column_labels=False,
        download=f"{what}_vectors",
    )


def _written(
    content: np.ndarray, position: np.ndarray, entered: np.ndarray, place: int, token: int, first: int
) -> None:
    """Some of the numbers, from dimension `first` on."""
    last = min(first + SHOWN, len(content))
    columns = [_column(vector[first:last], first > 0, last < len(vector)) for vector in (content, position, entered)]
    st.latex(rf"x_{{{place}}} = W_E[{token}] + W_P[{place}] = {columns[0]} + {columns[1]} = {columns[2]}")
    st.caption(f"Dimensions {first} to {last - 1} of {len(content)}. Lock a cell above to see others.")


def _column(values: np.ndarray, before: bool, after: bool) -> str:
    lines = [r"\vdots"] * before + [f"{value:+.3f}" for value in values] + [r"\vdots"] * after
    return r"\begin{pmatrix}" + r"\\".join(lines) + r"\end{pmatrix}"
