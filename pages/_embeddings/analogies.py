"""Part three, below the map: sums and differences of tokens, with what was measured, also when it fails."""

import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.token_bars import token_bars
from pages._embeddings.views import Data, analogy_of
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.predict import predict, revealed
from pages._parts.specimen import cached_or_live, provenance
from pages._parts.text import escaped

DEFAULT = ("she", "he", "his")


def analogies(specimen: Specimen) -> None:
    st.subheader("Sums and differences", anchor=False)
    fields = st.columns(3, gap="small", wrap=False)
    words = tuple(
        field.text_input(label, word, key=f"analogy_{label[0]}", bind="query-params", max_chars=60)
        for field, label, word in zip(fields, ("a", "b, taken away", "c, added"), DEFAULT, strict=True)
    )
    key = {"model": specimen.id, "words": list(words)}
    data = cached_or_live("embeddings_analogies", key, lambda: analogy_of(specimen.id, words))
    left, right = st.columns([1, 1], gap="large")
    with left:
        _asked(data["asked"], specimen.id)
        provenance(data, specimen.id)
    with right:
        _tried(data["tried"])
    show_code("core.anatomy.vocabulary:analogy")


def _asked(asked: Data, model: str) -> None:
    pieces = asked["pieces"]
    if "answers" not in asked:
        several = [
            f"“{word}” is {' + '.join(parts)}" if parts else f"“{word}” is no token"
            for word, parts in zip(asked["words"], pieces, strict=True)
            if len(parts) != 1
        ]
        st.info(escaped(f"Each of the three must be one token of {model}: {'; '.join(several)}."))
        return
    a, b, c = (parts[0] for parts in pieces)
    best, raw = asked["answers"], asked["unfiltered"][0]
    st.markdown(f"Nearest to **{escaped(a)} − {escaped(b)} + {escaped(c)}**")
    st.vega_lite_chart(
        {
            "token": [f"{one['piece']}  #{one['id']}" for one in best],
            "value": [one["cosine"] for one in best],
            "note": ["" for _ in best],
        },
        token_bars([one["cosine"] for one in best], theme.dark(), "cosine"),
        key="analogy",
        alt=f"Nearest to {a} − {b} + {c}: " + ", ".join(f"{one['piece']} {one['cosine']:.2f}" for one in best),
        width="stretch",
    )
    downloads("analogy", "analogy", [("id", "token", "cosine"), *((x["id"], x["piece"], x["cosine"]) for x in best)])
    same = raw["id"] == best[0]["id"]
    st.caption(
        "By custom a, b and c themselves are left out. "
        + (
            "Here that changes nothing: the answer is nearest anyway."
            if same
            else escaped(f"Here it matters: {raw['piece']} itself is nearest ({raw['cosine']:.2f}).")
        )
    )


def _tried(tried: list[Data]) -> None:
    if not tried:
        st.info("None of the prepared examples is made of whole tokens here.")
        return
    right = sum(one["right"] for one in tried)
    options = ["none", "some", "most", "all"]
    guess = predict(
        "analogies_guess", f"{len(tried)} such sums were prepared. How many hit the word you would expect?", options
    )
    if guess is None:
        return
    measured = options[0 if not right else 3 if right == len(tried) else 2 if 2 * right > len(tried) else 1]
    revealed(guess, measured, f"**{right} of {len(tried)}**: {measured}.")
    lines = [
        f"{'✓' if one['right'] else '✗'} {' − '.join(one['words'][:2])} + {one['words'][2]} = {one['answer']['piece']} "
        f"({one['answer']['cosine']:.2f})" + ("" if one["right"] else f", expected {one['expected'].strip()}")
        for one in tried
    ]
    st.text("\n".join(line.replace("  ", " ") for line in lines))
    st.caption("A handful of chosen examples is an illustration, not a benchmark.")
