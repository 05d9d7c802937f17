"""How numbers and tokens are worded on this page."""

from core.language.tokens import visible
from pages._parts.text import escaped, power_of_ten


def number(value: float, digits: int = 3) -> str:
    """`digits` significant digits with a proper minus."""
    size = abs(value)
    words = f"{size:.{digits}g}" if size == 0 or 1e-3 <= size < 1e5 else power_of_ten(size)
    return f"−{words}" if value < 0 else words


def signed(value: float, digits: int = 3) -> str:
    """The same with a plus where it is not below zero."""
    return number(value, digits) if value < 0 else f"+{number(value, digits)}"


def result(value: float, digits: int = 3) -> str:
    """The same within a formula, behind its equals sign."""
    size = abs(value)
    if size and not 1e-3 <= size < 1e5:
        mantissa, exponent = f"{size:.1e}".split("e")
        words = rf"{mantissa}\cdot 10^{{{int(exponent)}}}"
    else:
        words = f"{size:.{digits}g}"
    return f"-{words}" if value < 0 else words


def tex(value: float, digits: int = 3) -> str:
    """The same as a term of a formula, in brackets where it is below zero."""
    return f"({result(value, digits)})" if value < 0 else result(value, digits)


def share(probability: float) -> str:
    """A probability; a small one keeps its first digits."""
    if probability >= 0.1:
        return f"{probability:.1%}"
    return f"{probability:.2%}" if probability >= 1e-4 else f"{100 * probability:.0e}%"


def word(text: str) -> str:
    """A token's text within a sentence of ours, for plain text: the space before it is not said."""
    return visible(text.strip(" ") or text)


def said(text: str) -> str:
    """The same for Markdown."""
    return escaped(word(text))
