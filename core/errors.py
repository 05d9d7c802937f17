"""The one exception a person is meant to read."""


class PlaygroundError(Exception):
    """Something a person can mend. The message is one sentence or two: what was wrong, where, and what to do.

    The command line prints it and exits with 2; a page shows it in place. Anything else that escapes is a defect.
    """


def is_panic(error: BaseException) -> bool:
    """Whether a library written in Rust gave up, a tokenizer on a text for one: to Python that is no Exception."""
    return type(error).__module__ == "pyo3_runtime"
