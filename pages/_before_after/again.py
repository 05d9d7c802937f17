"""Part five: the tuned policy becomes the policy that writes, and the loop turns once more."""

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.figures.round_path import round_path
from core.runs import supervisor
from core.runs.rounds import Round, next_round, rounds
from core.runs.store import Run, RunStore
from pages._before_after.subject import Subject
from pages._parts import site, theme
from pages._parts.badge import badge
from pages._parts.code import show_code
from pages._parts.downloads import downloads
from pages._parts.loop_view import STAGES
from pages._parts.run_view import MOVING
from pages._parts.state import FEW
from pages._parts.told import fragment, told

_STYLE = """<style>
.rounds { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; padding: 0; margin: 0; list-style: none; }
ol.rounds li, ol.rounds dl div, ol.rounds dt, ol.rounds dd { margin: 0 !important; }
.rounds li { flex: 1 1 12rem; position: relative; padding: 0.8rem 1rem; border-radius: 0.6rem;
  border: 1px solid color-mix(in srgb, var(--policy) 35%, transparent);
  background: color-mix(in srgb, var(--policy) 4%, transparent); }
.rounds li + li::before { content: "→"; position: absolute; left: -1.6rem; top: 40%; opacity: 0.5; font-size: 1.2rem; }
.rounds li.here { border-width: 2px; border-color: var(--policy); }
.rounds b { color: var(--policy); } .rounds dl { margin: 0.4rem 0 0; font-size: 0.9375rem; }
.rounds dl div { display: flex; justify-content: space-between; gap: 0.75rem; }
.rounds dd { margin: 0; font-variant-numeric: tabular-nums; } .rounds dt { opacity: 0.75; }
.rounds .said { margin-top: 0.75rem; font-size: 0.9375rem; }
.rounds .state { font-size: 0.875rem; opacity: 0.8; }
</style>"""


def show(subject: Subject) -> str:
    """Draw it; returns the claim."""
    found = _rounds(subject)
    moving = [one for one in found if one.status in MOVING]

    @fragment(run_every=1.0 if moving else None)
    def view() -> None:
        now = _rounds(subject)
        _chain(now, subject.id)
        if moving and not any(one.status in MOVING for one in now):
            st.rerun()

    view()
    _path(subject, found)
    _shrunk(found)
    if subject.run:
        badge("live", model=found[0].model if found else "", note="rounds: " + " → ".join(one.run_id for one in found))
    else:
        subject.badge()
    if subject.run:
        _go_on(subject.run, found)
    else:
        st.info("The cached example cannot be carried on: its weights are not here. Choose a run of yours above.")
    _equation(found)
    return _claim(subject, found)


def _rounds(subject: Subject) -> list[Round]:
    if subject.run:
        return rounds(RunStore(), RunStore().get(subject.run.id))
    return [Round(**one) for one in subject.entry["rounds"]] if subject.entry else []


def _chain(found: Sequence[Round], here: str) -> None:
    cards = "".join(_card(one, here) for one in found)
    st.html(f'{_STYLE}<ol class="rounds">{cards}</ol>')


def _card(one: Round, here: str) -> str:
    of = f" of {one.heldout}" if one.heldout is not None and one.heldout < FEW else ""
    facts: list[tuple[str, str]] = [
        ("votes", f"{one.votes:,}" if one.votes is not None else "—"),
        ("reward model right", _said(one.accuracy, "{:.0%}" + of)),
        ("true taste", f"{_said(one.gold_before, '{:.2f}')} → {_said(one.gold_after, '{:.2f}')}"),
        ("better than before on", _said(one.win_rate, "{:.0%}")),
        ("words per response", _said(one.length, "{:.1f}")),
        ("KL, this round", _said(one.kl, "{:.1f} nats")),
        ("KL to the first", _said(one.kl_first, "{:.1f} nats")),
    ]
    state = one.status
    if one.status in MOVING:
        state += f" · {STAGES.get(one.stage, one.stage or 'waiting')} {one.progress:.0%}"
    rows = "".join(f"<div><dt>{name}</dt><dd>{html.escape(words)}</dd></div>" for name, words in facts)
    prompt, text = one.example or ("", "")
    said = f'<p class="said"><span class="prompt">{html.escape(prompt)}</span>{html.escape(text)}</p>' if prompt else ""
    mark = ' class="here"' if one.run_id == here else ""
    return (
        f'<li{mark}><b>Round {one.number}</b> <span class="state">{html.escape(one.run_id)} · {html.escape(state)}'
        f"</span><dl>{rows}</dl>{said}</li>"
    )


def _said(value: float | None, words: str) -> str:
    return "—" if value is None else words.format(value)


def _path(subject: Subject, found: Sequence[Round]) -> None:
    points: list[tuple[float, float, str]] = []
    if found and found[0].gold_before is not None:
        points.append((0.0, found[0].gold_before, "reference"))
    points += [
        (one.kl_first, one.gold_after, f"round {one.number}")
        for one in found
        if one.kl_first is not None and one.gold_after is not None
    ]
    if len(points) < 2:
        return
    taste = f"{subject.voter}'s true taste" if subject.voter else "true taste"
    st.vega_lite_chart(
        {
            "kl": [kl for kl, _, _ in points],
            "gold": [gold for _, gold, _ in points],
            "label": [label for _, _, label in points],
            "order": list(range(len(points))),
        },
        round_path(theme.dark(), taste),
        key="rounds",
        width="stretch",
        alt="; ".join(f"{label}: {taste} {gold:.2f} at {kl:.1f} nats" for kl, gold, label in points),
    )
    downloads("rounds", "rounds", [["where", "kl_first", "gold"], *([label, kl, gold] for kl, gold, label in points)])


def _shrunk(found: Sequence[Round]) -> None:
    """What the taste may owe to ever shorter texts, where they have become so."""
    measured = [one for one in found if one.length is not None]
    if _has_shrunk(found):
        st.markdown(
            f"**Read the texts, not only the curve.** From round {measured[0].number} to {measured[-1].number} the "
            f"responses shrank from {measured[0].length:.1f} words to {measured[-1].length:.1f}. A taste that is an "
            "average over words is served best by very few, very well-liked ones: the annotator gets what it asked "
            "for, round after round, and perhaps not what anybody wanted."
        )


def _has_shrunk(found: Sequence[Round]) -> bool:
    lengths = [one.length for one in found if one.length is not None]
    return len(lengths) > 1 and lengths[-1] < lengths[0] / 2


def _go_on(run: Run, found: Sequence[Round]) -> None:
    st.subheader("Turn once more", anchor=False)
    policy = run.folder / "policy"
    if not (policy / "config.json").exists():
        st.caption("When this run has left its tuned policy, the next round begins here.")
        return
    by_hand, simulated = st.columns(2, gap="large")
    with by_hand:
        st.markdown("**With your own votes.** What the tuned policy writes is put before you.")
        st.page_link(
            site.page("label"),
            label="Label what this policy writes",
            icon=":material/how_to_vote:",
            query_params={"policy": f"policy of run {run.id}"},
        )
        st.caption("Then train a reward model on the votes, and let PPO begin with this policy.")
    with simulated:
        voter = str(run.config.get("annotator") or "")
        st.markdown("**With the simulated annotator.** Fresh votes, a reward model from scratch, PPO, all by itself.")
        busy = any(one.status in MOVING for one in found)
        st.button(
            f"Run round {found[-1].number + 1}" if found[-1].run_id == run.id else "Run another round from here",
            key="next_round",
            type="primary",
            icon=":material/repeat:",
            disabled=run.kind != "loop" or busy,
            on_click=_submit,
            args=(run,),
        )
        if run.kind != "loop":
            st.caption("A PPO run on your own votes has no simulated annotator to ask again.")
        else:
            st.caption(f"{voter} votes again, on what this policy writes; its KL is charged from here.")


@told
def _submit(run: Run) -> None:
    """Start it and turn to it; the widget that chooses the run is told before it is drawn again."""
    st.session_state["run"] = supervisor.submit(next_round(RunStore(), run))


def _equation(found: Sequence[Round]) -> None:
    st.subheader("The equation", anchor=False)
    st.latex(
        r"\pi_0 \xrightarrow{\ \text{votes},\ r_1,\ \text{PPO}\ } \pi_1 "
        r"\xrightarrow{\ \text{votes on } \pi_1,\ r_2,\ \text{PPO}\ } \pi_2 \ \cdots \qquad "
        r"\text{reward}_k = r_k - \beta\,\mathrm{KL}(\pi_k \,\Vert\, \pi_{k-1})"
    )
    last = found[-1] if found else None
    if last and last.kl is not None and last.kl_first is not None and last.number > 1:
        steps = sum(one.kl or 0.0 for one in found)
        relation = "more" if steps > last.kl_first else "less"
        st.markdown(
            f"Each round pays for its own way only. Round {last.number} lies **{last.kl:.1f} nats** from where it "
            f"began and **{last.kl_first:.1f}** from the very first policy; the rounds' own KLs add up to {steps:.1f}. "
            f"That is {relation}: KL is no distance, and does not add."
        )
    show_code("core.runs.rounds:next_round", "core.runs.rounds:chain")


def _claim(subject: Subject, found: Sequence[Round]) -> str:
    done = [one for one in found if one.gold_after is not None and one.kl is not None and one.status == "finished"]
    if not done:
        return "The tuned policy can write the next responses to vote on: the loop closes."
    if len(done) == 1:
        taste = f"{_said(done[0].gold_before, '{:.2f}')} → {_said(done[0].gold_after, '{:.2f}')}"
        return f"One round so far: true taste {taste}. Let the tuned policy write for the next."
    golds = [one.gold_after or 0.0 for one in done]
    way = " → ".join(f"{gold:.2f}" for gold in golds)
    last: Any = done[-1]
    if round(golds[-1], 1) < round(golds[-2], 1):
        worse = f"Round {last.number} made it worse: after each round the true taste says {way}."
        return f"{worse} Again is not always better."
    far = f", now {last.kl_first:.0f} nats from where all began" if last.kl_first is not None else ""
    if _has_shrunk(found):
        far += f", with {last.length:.1f} words per response"
    return f"Every turn starts from the last one's policy: after each round the true taste says {way}{far}."
