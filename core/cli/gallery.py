"""`gallery`: make again the cached results that the pages open on."""

import click


@click.command()
def gallery() -> None:
    """Make core/gallery/ again: the cached real results that the pages open on."""
    from core.gallery.build import build_gallery

    build_gallery()
