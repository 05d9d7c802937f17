"""One block: the residual stream runs through, two parts read it, and each adds what it found."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.anatomy.specimens import Specimen
from core.figures.palette import CONCEPTS, TEXT
from pages._parts import theme
from pages._parts.specimen import provenance
from pages._transformer_block import box_details, opening
from pages._transformer_block.choice import Columns, choose_layer, choose_token
from pages._transformer_block.diagram import diagram
from pages._transformer_block.words import number, word

BOXES = ("entering", "attention_input", "attention", "between", "feed_forward_input", "feed_forward", "leaving")
TITLES = {
    "entering": "stream",
    "attention": "attention",
    "between": "add",
    "feed_forward": "feed-forward",
    "leaving": "add",
}
READ_FROM = {"attention_input": "attention", "feed_forward_input": "feed_forward"}
ADDED = {"between": "attention", "leaving": "feed_forward"}


def show(specimen: Specimen, text: str, sizes: Mapping[str, Any], columns: Columns) -> str:
    """The diagram, then whatever box is open. Returns the claim that its numbers make."""
    with columns[0]:
        layer = choose_layer(sizes)
    with columns[1]:
        token = choose_token(sizes, text)
    data = opening.block_of(specimen, text, sizes["ids"], layer, token)
    box = st.query_params.get("box")
    box = box if box in BOXES else None
    words = claim(data, sizes, layer, token)
    diagram(_boxes(data, sizes), box, key="block", alt=_alt(data, sizes, layer, token), on_pick=_keep)
    provenance(data, specimen.id, f"layer {layer} of {sizes['layers']}, at {sizes['pieces'][token]}")
    box_details.show(box, data, sizes, layer, token)
    return words


def claim(data: Mapping[str, Any], sizes: Mapping[str, Any], layer: int, token: int) -> str:
    """What the block changed in what the stream reads as, measured."""
    here = word(sizes["pieces"][token])
    before, between, after = (word(data["reads"][name][0]["piece"]) for name in ("entering", "between", "leaving"))
    if before == after:
        one, other = (data["reads"][name][0]["probability"] for name in ("entering", "leaving"))
        return (
            f"At “{here}”, layer {layer} is given a stream that reads “{before}” ({one:.0%}) and hands on one that "
            f"still reads “{after}” ({other:.0%}): a layer only adds to the stream, if sometimes against it."
        )
    part = "attention" if between == after else "the feed-forward part"
    return (
        f"What comes after “{here}”? The stream enters layer {layer} reading “{before}” and leaves it reading "
        f"“{after}”: {part} added what turned it."
    )


def _keep(box: str | None) -> None:
    if box:
        st.query_params["box"] = box
    else:
        st.query_params.pop("box", None)


def _boxes(data: Mapping[str, Any], sizes: Mapping[str, Any]) -> list[dict[str, Any]]:
    dark = theme.dark()
    largest = max(data["norms"].values()) or 1.0
    found = []
    for name in BOXES:
        concept = CONCEPTS.get(name if name in CONCEPTS else ADDED.get(name, ""))
        part = name in ("attention", "feed_forward")
        title = TITLES.get(name, sizes["norm"])
        first, second = _lines(name, data, sizes)
        length = data["norms"][name]
        found.append(
            {
                "id": name,
                "title": title,
                "norm": number(length),
                "first": first,
                "second": second,
                "detail": f"{title}: a vector of length {number(length)}; {first} {second}",
                "colour": concept.on(dark) if part and concept else TEXT.on(dark),
                "dash": "" if part or name in READ_FROM else "0",
                "share": length / largest,
            }
        )
    return found


def _lines(name: str, data: Mapping[str, Any], sizes: Mapping[str, Any]) -> tuple[str, str]:
    """The two short lines of a box."""
    if name in data["reads"]:
        best = data["reads"][name][0]
        return f"reads “{best['piece']}”", f"{best['probability']:.1%}"
    if name in READ_FROM:
        taken = data["statistics"][READ_FROM[name]]
        if sizes["norm"] == "LayerNorm":
            return f"mean {number(taken['mean'])}", f"variance {number(taken['variance'])}"
        return "root mean square", number(taken["mean_square"] ** 0.5)
    if name == "attention":
        places = [max(range(len(row)), key=row.__getitem__) for row in data["weights"]]
        most = max(set(places), key=places.count)
        return f"{places.count(most)} of {len(places)} heads look", f"most at “{sizes['pieces'][most]}”"
    awake = sum(value > 0 for value in data["pre"])
    return sizes["activation"], f"{awake} of {len(data['pre']):,} on"


def _alt(data: Mapping[str, Any], sizes: Mapping[str, Any], layer: int, token: int) -> str:
    norms = {name: number(value) for name, value in data["norms"].items()}
    return (
        f"Layer {layer} at {sizes['pieces'][token]}: the residual stream of length {norms['entering']} enters; "
        f"attention adds a vector of length {norms['attention']}, the feed-forward part one of "
        f"{norms['feed_forward']}; the stream leaves with length {norms['leaving']}."
    )
