"""Part five: which tokens' vectors training moved, and how far the sentence's states moved in context."""

import numpy as np
import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.token_bars import token_bars
from pages._embeddings.views import Data, compared, input_of, moved_of, read
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.matrix import matrix
from pages._parts.specimen import cached_or_live, provenance

GROUPS = {"Tokens seen ten times or more": "seen", "All tokens": "all"}


def moving(specimen: Specimen, text: str) -> str:
    """Draw it; returns the claim."""
    pair = compared(specimen)
    if pair is None:
        st.info(
            "Nothing is known of what this model was before. Choose a checkpoint of a run, or the storyteller: it is "
            "compared with its own beginnings."
        )
        return "Training moves vectors: compare a checkpoint with where it began."
    before, after = pair
    key = {"model": specimen.id, "sentence": text}
    tokens = cached_or_live("embeddings", key, lambda: input_of(specimen.id, tuple(read(specimen, text).ids)))["tokens"]
    ids = tuple(int(token["id"]) for token in tokens)
    wanted = {"before": before, "after": after, "sentence": text}
    data = cached_or_live("embeddings_moved", wanted, lambda: moved_of(before, after, ids))
    names = list(GROUPS)
    first = names[1] if _rare_first(data) else names[0]  # what the claim speaks of is what is drawn
    group = GROUPS[
        str(st.segmented_control("Among", names, default=first, required=True, key="among", bind="query-params"))
    ]
    left, right = st.columns([2, 3], gap="large")
    with left:
        _most(data["most"][group], data["medians"][group])
    with right:
        _in_context(np.asarray(data["context"], dtype=float), tokens)
    provenance(data, f"{before} → {after}")
    _equation(data, group)
    return _claim(data, group, before, after)


def _most(most: list[Data], median: float) -> None:
    st.markdown(f"**Moved farthest** (the median moved {median:.3g})")
    if not most:
        st.info("No vector moved at all.")
        return
    st.vega_lite_chart(
        {
            "token": [f"{one['piece']}  #{one['id']}" for one in most],
            "value": [one["distance"] for one in most],
            "note": [f"cosine {one['cosine']:.3f}, seen {one['seen']:,} times" for one in most],
        },
        token_bars([one["distance"] for one in most], theme.dark(), "‖after − before‖", "kl", ".2~g"),
        key="moved",
        alt="Tokens that moved farthest: " + ", ".join(f"{one['piece']} {one['distance']:.3g}" for one in most[:5]),
        width="stretch",
    )
    table = [tuple(most[0]), *(tuple(one.values()) for one in most)]
    downloads("moved", "moved", table)


def _in_context(values: np.ndarray, tokens: list[Data]) -> None:
    st.markdown("**The sentence in both models**: 1 − cosine of their states, layer by layer")
    matrix(
        values,
        [f"{place} {token['piece']}" for place, token in enumerate(tokens)],
        [str(layer) for layer in range(values.shape[1])],
        key="moved_context",
        alt="How far each token's state lies from that in the other model, after every layer",
        template="{row}, after layer {column}: {value}",
        low=0.0,
        largest=44,
    )


def _equation(data: Data, group: str) -> None:
    st.subheader("The equation", anchor=False)
    most = data["most"][group]
    st.latex(
        r"\lVert e_{\text{after}} - e_{\text{before}} \rVert"
        + (rf"\qquad \text{{token {most[0]['id']}:}}\quad {most[0]['distance']:.4g}" if most else "")
    )
    st.markdown(
        f"Distance and frequency go together with rank correlation **{data['frequency']:+.2f}** over the vocabulary. "
        "Where input and output share their vectors, a token need not be read to move: every step pushes those that "
        "were *not* written away. **Look for** layers where the rows stand out: more training often changes "
        "what is made of a vector more than the vector."
    )
    show_code("core.anatomy.movement:moved", "core.anatomy.movement:moved_in_context")


def _claim(data: Data, group: str, before: str, after: str) -> str:
    most = data["most"][group]
    where = f"From {before} to {after}"
    deepest = float(np.asarray(data["context"], dtype=float)[:, -1].max())
    if not most:
        return (
            f"{where} no token's vector moved; in context the states still differ by up to {deepest:.3g} (1 − cosine)."
        )
    median = data["medians"][group]
    if _rare_first(data) and group == "all":
        return (
            f"{where} rare tokens moved farthest (rank correlation with frequency {data['frequency']:+.2f}): "
            f"“{most[0]['piece']}” by {most[0]['distance']:.2g}, the median by {median:.2g}."
        )
    return (
        f"{where}, “{most[0]['piece']}” moved farthest, by {most[0]['distance']:.2g}, the median by {median:.2g}; "
        f"in context the last states differ by up to {deepest:.2g} (1 − cosine)."
    )


def _rare_first(data: Data) -> bool:
    """Whether moving far goes with being rare."""
    return float(data["frequency"]) < -0.2
