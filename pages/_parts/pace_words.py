"""A span of time still to come, as people say it."""


def left_in_words(seconds: float, at_most: bool = False) -> str:
    """`about 20 s left`, rounded as such a forecast deserves; `at_most` where it may well be less."""
    word = "at most" if at_most else "about"
    if seconds < 90:
        return f"{word} {max(5, 5 * round(seconds / 5))} s left"
    if seconds < 5400:
        return f"{word} {round(seconds / 60)} min left"
    return f"{word} {seconds / 3600:.1f} h left"
