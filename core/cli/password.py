"""`password`: what a hosted server is given instead of the class's password itself."""

import click

from core.hosting.mode import LONGEST, PASSWORD_HASH, SHORTEST


@click.command()
def password() -> None:
    """Ask for a class's password and print the hash of it to put into RLHF_PLAYGROUND_PASSWORD_HASH."""
    from core.hosting.sign_in import hashed

    try:
        chosen = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, EOFError):  # and not Ctrl-C
            raise click.UsageError("No password was given: type it twice, or pipe it in, twice, a line each.") from None
        raise
    if len(chosen) < SHORTEST:
        raise click.UsageError(f"The password is too short: {SHORTEST} characters or more.")
    if len(chosen) > LONGEST:
        raise click.UsageError(f"The password is too long: {LONGEST} characters at most.")
    click.echo(f"{PASSWORD_HASH}={hashed(chosen)}")
