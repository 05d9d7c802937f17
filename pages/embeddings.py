"""Embeddings: what a token's vector holds, what position adds, where words lie, and what context and training move."""

import streamlit as st

from core.anatomy.specimens import Specimen
from core.errors import PlaygroundError
from pages._embeddings.analogies import analogies
from pages._embeddings.context import context
from pages._embeddings.entering import entering
from pages._embeddings.moving import moving
from pages._embeddings.placing import placing
from pages._embeddings.vocabulary import vocabulary
from pages._parts.header import page_header
from pages._parts.questions import closing
from pages._parts.specimen import opened, specimen_bar
from pages._parts.text import escaped

TITLE = "Embeddings"
PARTS = ("Input", "Positions", "Vocabulary", "In context", "What moved")
_STEADY = "<style>.claim { min-height: 3em; }</style>"  # a shorter claim must not move the map under the pointer
OF_A_SENTENCE = ("Input", "In context", "What moved")


def main() -> None:
    head = st.container()  # the claim is made of what is measured below
    specimen, text = specimen_bar()
    part = st.segmented_control(
        "Part", PARTS, default=PARTS[0], required=True, key="part", bind="query-params", label_visibility="collapsed"
    )
    claim = "A token enters a transformer as a vector; position, context and training change it."
    try:
        if part in OF_A_SENTENCE and not text:
            st.info("Type a sentence: there is nothing to look at in an empty one.")
        else:
            claim = _draw(str(part), specimen, text)
    except PlaygroundError as error:
        st.error(escaped(str(error)))
    with head:
        st.html(_STEADY)
        page_header("embeddings", TITLE, claim)
    _closing()


def _draw(part: str, specimen: Specimen, text: str) -> str:
    if part == "Input":
        return entering(specimen, text)
    if part == "Positions":
        return placing(specimen, _turns(specimen))
    if part == "Vocabulary":
        claim = vocabulary(specimen, text)
        analogies(specimen)
        return claim
    return context(specimen, text) if part == "In context" else moving(specimen, text)


def _turns(specimen: Specimen) -> bool:
    """Whether this model rotates positions. The storyteller is known to add them: no need to wait for torch."""
    if specimen.id == "storyteller":
        return False
    model, _ = opened(specimen.id)
    from core.anatomy.parts import rotates

    return rotates(model)


def _closing() -> None:
    closing(
        [
            (
                "The same word stands twice in a sentence. Does the model get the same vector twice?",
                "The same content vector, yes. With learned or sinusoidal positions the inputs differ, because another "
                "position is added; with RoPE they are equal, and only the rotation of queries and keys tells the two "
                "apart. From the first layer on what stands before each makes them different.",
            ),
            (
                "Why rotate instead of adding?",
                "The dot product of a rotated query and a rotated key knows only how far apart they stand. "
                "Nothing has to be learned for that, and the content is not mixed with the position.",
            ),
            (
                "Two tokens are neighbours by cosine. Does that mean that they mean the same?",
                "It means that they were *used* alike: “big” lies near “small”, and names near names. Neighbours share "
                "a role, often a topic, not always a meaning.",
            ),
        ],
        "attention",
        "see how these vectors look at one another.",
    )


main()
