"""`gallery`: make again the cached results that the pages open on."""

import click

from core.cli.output import emit, json_option


@click.command()
@json_option
def gallery(as_json: bool) -> None:
    """Make core/gallery/ again: the cached real results that the pages open on."""
    import core.gallery.build as build

    build.build_gallery()
    emit({"gallery": build.__name__.rpartition(".")[0], "status": "made"}, as_json)
