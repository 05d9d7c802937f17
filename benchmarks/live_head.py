"""How much the live head learns from how few votes, and what a refit costs: `python benchmarks/live_head.py`.

Every simulated annotator votes 64 times on the bundled pairs, in ten sittings with other pairs and other noise; skill
(the share of what the annotator's noise leaves knowable) is measured on 2,000 fresh pairs of held-out prompts. Some
three minutes on one core. `--cached` prints the same table from the gallery, where the Label page has it from.

Measured (storyteller, mean ± standard deviation over ten sittings, pairs at random):

| annotator | 8 votes | 16 votes | 32 votes | 64 votes |
|---|---|---|---|---|
| animal_lover | 0.07 ± 0.14 | 0.14 ± 0.17 | 0.19 ± 0.16 | 0.33 ± 0.15 |
| curious | 0.25 ± 0.29 | 0.31 ± 0.19 | 0.33 ± 0.14 | 0.42 ± 0.13 |
| mix | 0.28 ± 0.13 | 0.33 ± 0.12 | 0.44 ± 0.03 | 0.51 ± 0.06 |
| sunny | 0.14 ± 0.15 | 0.27 ± 0.12 | 0.38 ± 0.10 | 0.43 ± 0.04 |
| talkative | 0.34 ± 0.39 | 0.48 ± 0.34 | 0.64 ± 0.15 | 0.72 ± 0.12 |
| terse | 0.23 ± 0.18 | 0.40 ± 0.15 | 0.55 ± 0.07 | 0.59 ± 0.09 |
| mean | 0.22 | 0.32 | 0.42 | 0.50 |

Bar for the mean over annotators: 0.15, 0.25, 0.35 and 0.45 after 8, 16, 32 and 64 votes. Asking where the head is least
sure instead was worse on average after 16 votes (−0.08 ± 0.06) and no different after 64 (−0.01 ± 0.04). It helped with
*Sunny* (+0.13 ± 0.09 after 16) and hurt with *Curious* (−0.35 ± 0.28) and *Terse* (−0.16 ± 0.15). A refit takes 0.2 ms
after 8 votes, 1.6 ms after 128 and 48 ms after 400 (storyteller, a busy machine).
"""

import argparse
import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.alignment.live.live_curves import CHOICES, MEASURED_AT
from core.alignment.live.live_head import fit_live_head
from core.gallery import load_entry
from core.gallery.build_live_head import measure

SHOWN = (8, 16, 32, 64)
BARS = (0.15, 0.25, 0.35, 0.45)  # of the mean over annotators
WIDTHS = {"storyteller": 256, "smollm2-135m": 576}
REFITS = (8, 64, 128, 400, 800, 1600)
REFIT_BAR = 300  # ms


def skills(curves: Mapping[str, Any], choice: str) -> None:
    """One row an annotator, and their mean."""
    print(f"\n{choice}: skill, mean ± standard deviation over the sittings\n")
    print("| annotator | " + " | ".join(f"{votes} votes" for votes in SHOWN) + " |")
    print("|---|" + "---|" * len(SHOWN))
    places = [MEASURED_AT.index(votes) for votes in SHOWN]
    means = []
    for name, sittings in curves.items():
        columns = [[skill[place] for skill in sittings[choice]["skill"]] for place in places]
        means.append([statistics.fmean(column) for column in columns])
        cells = [f"{statistics.fmean(column):.2f} ± {statistics.stdev(column):.2f}" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    overall = [statistics.fmean(column) for column in zip(*means, strict=True)]
    print("| mean | " + " | ".join(f"{value:.2f}" for value in overall) + " |")
    if choice == "random":
        print("| bar | " + " | ".join(f"{bar:.2f}" for bar in BARS) + " |")


def refits() -> None:
    """The median of eleven refits from nothing, on gaps as wide as each policy's."""
    print("\nrefit after a vote, ms (bar: " + f"{REFIT_BAR})\n")
    print("| policy | " + " | ".join(f"{votes} votes" for votes in REFITS) + " |")
    print("|---|" + "---|" * len(REFITS))
    for policy, width in WIDTHS.items():
        cells = []
        for votes in REFITS:
            rng = np.random.default_rng(0)
            gaps, weights = rng.normal(size=(votes, 2, width)), rng.normal(size=width) / 10
            left = gaps[:, 0] @ weights + rng.logistic(size=votes) > 0
            spent = []
            for _ in range(11):
                began = time.perf_counter()
                fit_live_head(gaps, left)
                spent.append(1000 * (time.perf_counter() - began))
            cells.append(f"{statistics.median(spent):.1f}")
        print(f"| {policy} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cached", action="store_true", help="the gallery's numbers instead of new ones")
    entry = load_entry("live_head") if parser.parse_args().cached else None
    data = entry["data"] if entry else measure()
    for choice in CHOICES:
        skills(data["curves"], choice)
    refits()


if __name__ == "__main__":
    main()
