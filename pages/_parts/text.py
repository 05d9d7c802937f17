"""Text of others (a model, a voter, a file), shown as it is and never interpreted; and our own, well set."""

import html
import re

import streamlit as st

_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ADDRESS = re.compile(r"https?:(?=//)|www(?=\.)|@", re.IGNORECASE)


def escaped(text: str) -> str:
    """`text` for use in Markdown, with every character that Markdown or Streamlit would act on made harmless.

    GitHub's Markdown also makes links of bare addresses, and looks for them when the backslashes have gone: a word
    joiner, which nobody sees, keeps `https:`, `www` and `@` apart from what follows.
    """
    parted = _ADDRESS.sub("\\g<0>\u2060", text)
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|$:~<>&^=])", r"\\\1", parted)


def minus(text: str) -> str:
    """Our own words with a minus sign where a hyphen stands before a number: Python writes -0.26."""
    return re.sub(r"(?<![\w)\]}.-])-(?=\d)", "−", text)


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
