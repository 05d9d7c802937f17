"""Every key that does something, by the page where it does. What a button's `shortcut` says here is tested to be so."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """The keys of one place: as Streamlit names them, or as a reader does, each with what it does."""

    where: str
    page: str  # "" for everywhere
    does: tuple[tuple[str, str], ...]


SHORTCUTS = (
    Keys(
        "Label, compare two",
        "label",
        (("Left", "left is better"), ("Right", "right is better"), ("T", "tie"), ("S", "skip"), ("U", "undo")),
    ),
    Keys(
        "Label, rank four",
        "label",
        (
            ("1", "pick the first response"),
            ("2", "pick the second"),
            ("3", "pick the third"),
            ("4", "pick the fourth"),
            ("Enter", "save the ranking"),
            ("Backspace", "take the last click back"),
            ("S", "skip"),
            ("U", "undo"),
        ),
    ),
    Keys(
        "Before and after, blind vote",
        "before_after",
        (("Left", "left is better"), ("Right", "right is better"), ("T", "no difference")),
    ),
    Keys("Attention, one head", "attention", (("B", "step back"), ("N", "next step"))),
    Keys("The block, writing", "transformer_block", (("P", "play or pause"), ("S", "one step"))),
)

FIGURES = (
    Keys(
        "Tokens, heatmaps, maps, diagrams",
        "",
        (
            ("← → ↑ ↓", "move from token to token, cell to cell"),
            ("Enter or Space", "lock what is shown, or unlock it"),
            ("Escape", "unlock"),
        ),
    ),
    Keys("Strip of the microscope", "token_microscope", (("Home", "first token"), ("End", "last token"))),
    Keys("Map of the vocabulary", "embeddings", (("+", "zoom in"), ("-", "zoom out"))),
    Keys(
        "Sliders, and the checkpoint scrubber",
        "before_after",
        (("← →", "one step"), ("Home, End", "first or last")),
    ),
)

EVERYWHERE = Keys(
    "Everywhere",
    "",
    (
        ("?", "show or hide these keys"),
        ("Tab", "to the next control, or to an underlined word: its meaning appears"),
        ("Escape", "close what is open"),
    ),
)

_SHOWN = {"Left": "←", "Right": "→"}


def shown(key: str) -> str:
    """A key as it is printed on a keyboard."""
    return _SHOWN.get(key, key)


def all_keys() -> tuple[Keys, ...]:
    """Everywhere first, then page by page, then figures."""
    return (EVERYWHERE, *SHORTCUTS, *FIGURES)
