"""Best of n: the same question without any training; its KL, measured beside the known bound."""

import pandas as pd
import streamlit as st

from core.figures.named_lines import NamedLine
from core.figures.palette import CONCEPTS, RUNS
from core.figures.rails import rails
from pages._experiments.findings import Found, missing
from pages._goodhart import voters
from pages._parts import theme
from pages._parts.code import show_code
from pages._parts.downloads import downloads


def show() -> str:
    """Draw the part; returns the page's claim."""
    known = voters.known()
    tables = _tables(known) if known else {}
    if known is None or not tables:
        missing("goodhart")
        return "Choose the best of n by a reward model: how good is it really?"
    left, right = st.columns([3, 2], gap="large")
    with left:
        _gold(tables)
    with right:
        _kl(tables[max(tables)])
    prompts, each = known.config.get("best_of_prompts"), known.config.get("best_of")
    known.badge(f"{prompts} held-out prompts × {each} responses, the same for every reward model")
    st.latex(r"\mathrm{KL}(\text{best of } n\,\Vert\,\pi_{\text{ref}}) \le \log n - \frac{n-1}{n}")
    last = tables[max(tables)][-1]
    st.markdown(
        f"For n = {last['n']:.0f} the bound is log {last['n']:.0f} − {last['n'] - 1:.0f}/{last['n']:.0f} = "
        f"**{last['kl_bound']:.3f}** nats. Measured from the scores of {each} responses per prompt, ties and all: "
        f"**{last['kl']:.3f}**. It is met where no two responses tie; that n responses are written and all but one "
        "thrown away is the other price, and KL does not count it."
    )
    show_code("core.alignment.best_of_n:kl_bound", "core.alignment.best_of_n:best_of_n_mean")
    return claim(tables)


def _tables(known: Found) -> dict[int, list[dict[str, float]]]:
    """Votes to table, averaged over the seeds."""
    grouped: dict[int, list[list[dict[str, float]]]] = {}
    for one in known.of("best_of_n"):
        grouped.setdefault(one["votes"], []).append(one["table"])
    return {
        votes: [
            {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} for rows in zip(*tables, strict=True)
        ]
        for votes, tables in sorted(grouped.items())
    }


def _gold(tables: dict[int, list[dict[str, float]]]) -> None:
    lines = [NamedLine(f"{votes:,} votes", RUNS[place]) for place, votes in enumerate(tables)]
    table = pd.DataFrame(
        [(row["n"], row["gold"], line.name) for line, rows in zip(lines, tables.values(), strict=True) for row in rows],
        columns=["x", "y", "line"],
    )
    st.markdown("**Gold of the chosen response**, against n")
    st.vega_lite_chart(
        table,
        rails(lines, theme.dark(), "n, responses to choose from", "gold, sd", points=True, log_x=True, height=300),
        key="best_of_gold",
        alt="Gold of the best of n responses against n, a line for each number of votes",
    )
    downloads("best_of_gold", "best_of_n_gold", [["n", "gold", "votes"], *table.itertuples(index=False)])


def _kl(rows: list[dict[str, float]]) -> None:
    lines = (NamedLine("measured", CONCEPTS["kl"]), NamedLine("bound", CONCEPTS["reference"]))
    table = pd.DataFrame(
        [
            (row["n"], row[name], line.name)
            for line, name in zip(lines, ("kl", "kl_bound"), strict=True)
            for row in rows
        ],
        columns=["x", "y", "line"],
    )
    st.markdown("**Its KL**, against n")
    st.vega_lite_chart(
        table,
        rails(lines, theme.dark(), "n", "nats per response", points=True, log_x=True, height=300),
        key="best_of_kl",
        alt="Measured KL of best of n beside its bound",
    )
    downloads("best_of_kl", "best_of_n_kl", [["n", "nats", "line"], *table.itertuples(index=False)])


def claim(tables: dict[int, list[dict[str, float]]]) -> str:
    """One sentence of what was measured."""
    few, many = (tables[votes][-1] for votes in (min(tables), max(tables)))
    fell = [votes for votes, rows in tables.items() if rows[-1]["gold"] < max(row["gold"] for row in rows) - 0.1]
    tail = (
        f" With {', '.join(f'{votes:,}' for votes in fell)} votes more choice made it worse in the end."
        if fell
        else " More choice never made it worse."
    )
    return (
        f"The best of {few['n']:.0f} by a reward model of {min(tables):,} votes scores {few['score']:+.2f} sd and "
        f"has a gold of {few['gold']:+.2f}; by one of {max(tables):,} votes it scores {many['score']:+.2f} with a gold "
        f"of {many['gold']:+.2f}, at {many['kl']:.1f} nats.{tail}"
    )
