"""`gallery`: make again the cached results that the pages open on."""

import click

from core.cli.output import emit, json_option
from core.errors import PlaygroundError


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="Make this entry alone (can be given again).")
@json_option
def gallery(only: tuple[str, ...], as_json: bool) -> None:
    """Make core/gallery/ again: the cached real results that the pages open on."""
    from core.gallery.build import ENTRIES, build_gallery

    if unknown := sorted(set(only) - set(ENTRIES)):
        raise PlaygroundError(f"--only: no entry called {', '.join(unknown)}; there are {', '.join(ENTRIES)}")
    emit({"made": build_gallery(only)}, as_json)
