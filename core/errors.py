"""The one exception a person is meant to read."""


class PlaygroundError(Exception):
    """Something a person can mend. The message is one sentence or two: what was wrong, where, and what to do.

    The command line prints it and exits with 2; a page shows it in place. Anything else that escapes is a defect.
    """
