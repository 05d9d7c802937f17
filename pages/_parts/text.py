"""Text of others (a model, a voter, a file), shown as it is and never interpreted; and our own, well set."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

Key = TypeVar("Key")

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ADDRESS = r"https?:(?=//)|www(?=\.)|@"
_SIGN = r":(?=[\w+\-/]+:)|(?<!\S)[<>~-](?=(?:->|[->=])(?!\S))"  # :sunny:, :material/home: and ->, drawn by Streamlit
_JOINED = re.compile(f"{_ADDRESS}|{_SIGN}", re.IGNORECASE)
_STEERING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    """`text` for use in Markdown, with every character that Markdown or Streamlit would act on made harmless.

    GitHub's Markdown also makes links of bare addresses, and Streamlit signs of `:sunny:` and ` -> `; both look for
    them when the backslashes have gone. A word joiner, which nobody sees, keeps their beginning apart from the rest.
    """
    parted = _JOINED.sub("\\g<0>\u2060", steady(text))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|$:~<>&^=])", r"\\\1", parted)


def steady(text: str) -> str:
    """A name of others amid our own words: what would turn round all that follows it is seen, and does nothing."""
    return _STEERING.sub("\ufffd", text)


def told_apart(labels: Mapping[Key, str]) -> dict[Key, str]:
    """The labels of a widget's options, with its key behind one that several have: Streamlit knows an option by its
    label alone, and whichever of them is chosen, takes the last."""
    times = Counter(labels.values())
    return {key: label if times[label] == 1 else f"{label} ({key})" for key, label in labels.items()}


def minus(text: str) -> str:
    """Our own words with a minus sign where a hyphen stands before a number: Python writes -0.26.

    Those of others among them, `escaped`, keep theirs.
    """
    return re.sub(r"(?<![\w)\]}.\\-])-(?=\d)", "−", text)


def raised(number: int) -> str:
    """A number as an exponent: `²⁰⁰`."""
    return str(number).translate(_RAISED)


def power_of_ten(value: float) -> str:
    """Two digits of a very small or large number: `2.1·10⁻⁷`."""
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}·10{raised(int(exponent))}"


def said(prompt: str, response: str) -> None:
    """A prompt, pale, and what followed it: as plain text with its line breaks."""
    st.html(f'<p class="said"><span class="prompt">{html.escape(prompt)}</span>{html.escape(response)}</p>')


def plain(text: str, css_class: str = "note") -> None:
    """A paragraph of foreign text."""
    st.html(f'<p class="{css_class}">{html.escape(text)}</p>')
