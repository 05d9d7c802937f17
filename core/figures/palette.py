"""One colour a concept, on every page: light and dark grounds, and a second cue so that colour never stands alone.

Contrast is at least 4.4 : 1 on the light ground and 7 : 1 on the dark one; tests/figures measures it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A concept's colour on both grounds, and what tells it apart without colour."""

    light: str
    dark: str
    mark: str  # one character that every font has
    dash: tuple[int, ...] = ()  # stroke pattern in pixels, () is solid

    def on(self, dark: bool) -> str:
        """The hex colour for this ground."""
        return self.dark if dark else self.light


GROUND = Colour("#FBFBFD", "#10131A", "")
TEXT = Colour("#1B2130", "#E8EAF0", "")

CONCEPTS: dict[str, Colour] = {
    "policy": Colour("#5B4BD6", "#A79BFF", "●"),
    "reference": Colour("#5F6B7A", "#9AA7B8", "○", (6, 4)),
    "reward": Colour("#0B7A57", "#3DD6A3", "◆"),
    "kl": Colour("#C2410C", "#FF9A5C", "▲", (2, 3)),
    "chosen": Colour("#0068A8", "#6CB8FF", "✓"),
    "rejected": Colour("#B25E00", "#F2A33A", "✗"),
    "query": Colour("#0068A8", "#6CB8FF", "Q"),
    "key": Colour("#B25E00", "#F2A33A", "K"),
    "value": Colour("#00795C", "#35C9A0", "V"),
    "attention": Colour("#A1268B", "#F09BE0", "A"),
    "feed_forward": Colour("#8A6D00", "#E3C94A", "F", (6, 3)),
}

# Runs laid over each other are no concept: these are told apart by dash as well, and repeat after eight.
RUNS: tuple[Colour, ...] = (
    Colour("#5B4BD6", "#A79BFF", "1"),
    Colour("#C2410C", "#FF9A5C", "2", (6, 3)),
    Colour("#00795C", "#35C9A0", "3", (2, 2)),
    Colour("#0068A8", "#6CB8FF", "4", (8, 3, 2, 3)),
    Colour("#B25E00", "#F2A33A", "5", (4, 2)),
    Colour("#5F6B7A", "#9AA7B8", "6", (10, 4)),
    Colour("#A1268B", "#F09BE0", "7", (1, 3)),
    Colour("#8A6D00", "#E3C94A", "8", (6, 2, 1, 2)),
)


def colour(concept: str, dark: bool = False) -> str:
    """The hex colour of `concept` on the light or the dark ground. KeyError when there is no such concept."""
    return CONCEPTS[concept].on(dark)


def css_variables() -> str:
    """`--policy: light-dark(#…, #…); …`: the browser picks by the page's colour scheme, without asking the server."""
    named = CONCEPTS | {"ground": GROUND, "ink": TEXT}
    return " ".join(f"--{name}: light-dark({shade.light}, {shade.dark});" for name, shade in named.items())


_SEQUENTIAL_LIGHT = ("#EEF0F6", "#C9D5E6", "#A3B9D6", "#7D9DC4", "#5880B0", "#376398", "#1D487C", "#0C315F", "#00224E")
_SEQUENTIAL_DARK = (
    "#00224E",
    "#123570",
    "#3B496C",
    "#575D6D",
    "#707173",
    "#8A8678",
    "#A59C74",
    "#C3B369",
    "#E1CC55",
    "#FEE838",
)
_DIVERGING_LIGHT = (
    "#8A3A00",
    "#B25E00",
    "#D58A3C",
    "#EBBC8C",
    GROUND.light,
    "#94C3E4",
    "#4E9BCC",
    "#0068A8",
    "#004A78",
)
_DIVERGING_DARK = ("#F2A33A", "#C98226", "#9C6319", "#5A3910", GROUND.dark, "#173450", "#2F6EA3", "#4B93D2", "#6CB8FF")


def sequential(dark: bool) -> list[str]:
    """Even in lightness, from near the ground to far from it: cividis on the dark one, its blues on the light one."""
    return list(_SEQUENTIAL_DARK if dark else _SEQUENTIAL_LIGHT)


def diverging(dark: bool) -> list[str]:
    """Orange below zero, blue above, zero at the ground's colour."""
    return list(_DIVERGING_DARK if dark else _DIVERGING_LIGHT)
