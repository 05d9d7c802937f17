"""Writing: a response token by token, each with its probability and alternatives, and branches from any of them."""

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.anatomy.specimens import Specimen
from core.errors import PlaygroundError
from core.figures.openness import openness
from core.gallery.build_block import SHOWN, WRITING
from core.language.configs import SamplingConfig
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.specimen import provenance
from pages._parts.text import escaped, said
from pages._parts.told import fragment
from pages._parts.url import number_in_url
from pages._transformer_block import opening
from pages._transformer_block.branches import MAIN, choices, leaving, listed
from pages._transformer_block.choice import Columns
from pages._transformer_block.words import percent, word
from pages._transformer_block.written import written

View = Mapping[str, Any]
SECONDS = 0.4  # between two tokens while it plays
LENGTHS = (20, 40, 80, 120)
PLAYING = "writing_playing"


def show(specimen: Specimen, text: str, sizes: View, columns: Columns) -> str | None:
    """Controls, the response, its branches. Returns the claim that the tokens on screen make, while none moves."""
    playing = bool(st.session_state.get(PLAYING, False))
    row = st.container(horizontal=True, key="writing_buttons")
    config = _settings(columns, row)
    _buttons(row, playing, config)
    branches = listed(st.query_params.get("branches", ""), config.max_new_tokens)
    branch = _branch(branches, specimen.id, text, config)

    data = opening.written_of(specimen.id, text, "" if branch == MAIN else branch, _shown(config), config)

    @fragment(run_every=SECONDS if playing else None)
    def view() -> None:
        shown = _shown(config)
        if playing:
            shown = min(shown + 1, config.max_new_tokens)
            st.query_params["shown"] = str(shown)
        data = opening.written_of(specimen.id, text, "" if branch == MAIN else branch, shown, config)
        _response(text, data, branch, config)
        if playing and (data["ended"] or shown >= config.max_new_tokens):
            st.session_state[PLAYING] = False
            st.rerun()

    view()
    if sizes["chat"]:
        st.caption("A chat model: the sentence is given to it as the user's turn, and this is the answer.")
    provenance(data, specimen.id, f"row 0, T = {config.temperature:g}", config.seed)
    if not playing:
        _beside_each_other(specimen, text, branches, config)
    show_code("core.anatomy.writing:write", "core.language.sampling:draw", "core.language.randomness:uniforms_of_rows")
    return None if playing else claim(data)


def claim(data: View) -> str:
    """The least likely token on screen, and where the model was least decided."""
    tokens = data["tokens"]
    if not tokens:
        return "A response is written one token at a time: a distribution, a random number, a token, and again."
    rarest = min(tokens, key=lambda one: one["probability"])
    most_open = max(tokens, key=lambda one: one["entropy"])
    how = "you chose" if rarest["chosen"] else "the random number chose"
    return (
        f"The least likely of these {len(tokens)} tokens is “{word(rarest['piece'])}” with "
        f"{percent(rarest['probability'])}: {how} it. The model was least decided at “{word(most_open['piece'])}”, "
        f"{most_open['entropy']:.1f} nats."
    )


def _settings(columns: Columns, row: DeltaGenerator) -> SamplingConfig:
    with columns[0]:
        seed = st.number_input("Seed", 0, 2**31 - 1, WRITING.seed, key="seed", bind="query-params", on_change=_anew)
    with columns[1]:
        temperature = st.slider(
            "Temperature", 0.05, 2.0, WRITING.temperature, 0.05, key="heat", bind="query-params", on_change=_anew
        )
    with row.popover("More", icon=":material/tune:"):
        top_k = st.slider("Top-k (0: all)", 0, 100, WRITING.top_k, key="keep_k", bind="query-params", on_change=_anew)
        top_p = st.slider(
            "Top-p (1: all)", 0.05, 1.0, WRITING.top_p, 0.05, key="keep_p", bind="query-params", on_change=_anew
        )
        length = st.select_slider(
            "Longest response, tokens", LENGTHS, WRITING.max_new_tokens, key="length", bind="query-params"
        )
    return WRITING.model_copy(
        update={
            "seed": int(seed),
            "temperature": float(temperature),
            "top_k": int(top_k),
            "top_p": float(top_p),
            "max_new_tokens": int(length),
        }
    )


def _buttons(row: DeltaGenerator, playing: bool, config: SamplingConfig) -> None:
    with row:
        icon, label = (":material/pause:", "Pause") if playing else (":material/play_arrow:", "Play")
        st.button(label, icon=icon, key="writing_play", on_click=_toggle, args=(config,), shortcut="P", type="primary")
        st.button(
            "Step", icon=":material/skip_next:", key="writing_step", on_click=_step, args=(config, 1), shortcut="S"
        )
        st.button("Back", icon=":material/skip_previous:", key="writing_back", on_click=_step, args=(config, -1))
        st.button("Reset", icon=":material/restart_alt:", key="writing_reset", on_click=_reset)


def _toggle(config: SamplingConfig) -> None:
    playing = not st.session_state.get(PLAYING, False)
    st.session_state[PLAYING] = playing
    if playing and _shown(config) >= config.max_new_tokens:
        st.query_params["shown"] = "0"


def _step(config: SamplingConfig, by: int) -> None:
    st.session_state[PLAYING] = False
    st.query_params["shown"] = str(min(config.max_new_tokens, max(0, _shown(config) + by)))


def _reset() -> None:
    """Nothing written, no branch."""
    st.session_state[PLAYING] = False
    st.query_params["shown"] = "0"
    _unbranch()


def _anew() -> None:
    """Another seed or distribution: the response is written again before the reader's eyes."""
    _reset()
    st.session_state[PLAYING] = True


def _unbranch() -> None:
    """Branches belong to one distribution: another temperature has others."""
    for name in ("branch", "branches", "at"):
        st.query_params.pop(name, None)


def _shown(config: SamplingConfig) -> int:
    asked = number_in_url("shown")
    return min(SHOWN if asked is None else asked, config.max_new_tokens)


def _locked() -> int | None:
    return number_in_url("at")


def _lock(place: int | None) -> None:
    if place is None:
        st.query_params.pop("at", None)
    else:
        st.query_params["at"] = str(place)


def _branch(branches: list[str], specimen_id: str, text: str, config: SamplingConfig) -> str:
    """The branch on screen; a choice where there is more than one."""
    if len(branches) == 1:
        return MAIN
    asked = st.query_params.get("branch", MAIN)
    branch = asked if asked in branches else MAIN
    names = {one: f"{place} · {_name(one, specimen_id, text, config)}" for place, one in enumerate(branches)}
    st.session_state["branch_shown"] = branch  # the URL holds token ids, the choice shows words
    st.segmented_control(
        "Branch",
        branches,
        required=True,
        format_func=lambda one: escaped(names.get(one, one)),
        key="branch_shown",
        on_change=lambda: _open(st.session_state["branch_shown"]),
    )
    return branch


def _open(branch: str) -> None:
    if branch == MAIN:
        st.query_params.pop("branch", None)
    else:
        st.query_params["branch"] = branch


def _name(branch: str, specimen_id: str, text: str, config: SamplingConfig) -> str:
    """Where a branch leaves, and with which word."""
    made = choices(branch)
    if not made:
        return "as drawn"
    place = made[-1][0]
    try:
        tokens = opening.written_of(specimen_id, text, branch, place + 1, config)["tokens"]
    except PlaygroundError:
        return branch
    return f"{place}: {word(tokens[-1]['piece'])}"


def _response(text: str, data: View, branch: str, config: SamplingConfig) -> None:
    def branched(place: int, token: int) -> None:
        new = leaving(branch, place, token)
        branches = listed(",".join((st.query_params.get("branches", ""), new)), config.max_new_tokens)
        st.query_params["branches"] = ",".join(branches[1:])
        st.query_params["shown"] = str(max(_shown(config), place + 1))
        st.query_params.pop("at", None)
        _open(new if new in branches else MAIN)
        st.session_state[PLAYING] = False
        st.session_state["writing_branched"] = True

    if st.session_state.pop("writing_branched", False):
        st.rerun()  # the choice of branches stands outside of this fragment
    tokens = data["tokens"]
    written(
        text,
        tokens,
        _locked(),
        key="written",
        alt=f"The prompt and {len(tokens)} tokens written after it, tinted by how unlikely each was",
        on_lock=_lock,
        on_branch=branched,
    )
    rows = [
        {
            "place": place,
            "piece": one["piece"],
            "entropy": one["entropy"],
            "surprise": -math.log(max(one["probability"], 1e-12)),
        }
        for place, one in enumerate(tokens)
    ]
    if rows:
        st.vega_lite_chart(rows, openness(theme.dark()), key="openness", alt="Entropy and surprise of each token")
        st.caption(
            "Bars: entropy, how open it was. ▲: −log p of what came. *A ▲ far above its bar is an unlikely draw.*"
        )
        table = [[row["place"], row["piece"], row["entropy"], row["surprise"]] for row in rows]
        downloads("openness", "writing", [["place", "token", "entropy", "surprise"], *table])
    if data["ended"]:
        st.caption("⏹ The response has come to its end.")


def _beside_each_other(specimen: Specimen, text: str, branches: list[str], config: SamplingConfig) -> None:
    """Every branch as far as it is shown: one choice, the same random numbers behind it, another story."""
    if len(branches) == 1:
        st.caption("Click an alternative to write it instead: the same random numbers then go on after it.")
        return
    for column, branch in zip(st.columns(2) * len(branches), branches, strict=False):
        with column.container(border=True):
            data = opening.written_of(specimen.id, text, "" if branch == MAIN else branch, _shown(config), config)
            st.caption(escaped(_name(branch, specimen.id, text, config)))
            said(text, "".join(one["text"] for one in data["tokens"]))
