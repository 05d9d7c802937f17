"""Colours that everybody can read: contrast as WCAG 2.1 defines it, on the grounds the themes really have."""

import tomllib
from pathlib import Path

import pytest

from core.figures.palette import CONCEPTS, GROUND, RUNS, TEXT, css_variables

THEMES = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize(
    "shade", [*CONCEPTS.values(), *RUNS], ids=[*CONCEPTS, *(f"run {shade.mark}" for shade in RUNS)]
)
def test_every_colour_can_be_read_on_both_grounds(shade):
    assert contrast(shade.light, GROUND.light) >= 4.4
    assert contrast(shade.dark, GROUND.dark) >= 7


def test_the_grounds_are_those_of_the_themes():
    assert (GROUND.light, GROUND.dark) == (THEMES["light"]["backgroundColor"], THEMES["dark"]["backgroundColor"])
    assert (TEXT.light, TEXT.dark) == (THEMES["light"]["textColor"], THEMES["dark"]["textColor"])


def test_colour_is_never_the_only_cue():
    """What stands side by side in one figure has a mark of its own, and runs a dash of their own."""
    together = ("policy", "reference", "reward", "kl", "chosen", "rejected")
    assert len({CONCEPTS[name].mark for name in together}) == len(together)
    assert len({shade.dash for shade in RUNS}) == len(RUNS)


def test_the_browser_gets_both_shades_of_every_concept():
    for name, shade in CONCEPTS.items():
        assert f"--{name}: light-dark({shade.light}, {shade.dark});" in css_variables()
