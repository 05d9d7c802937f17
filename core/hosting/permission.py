"""What a person may open: models on the list, what visible runs have made, and no other file of the machine."""

from pathlib import Path

from core import paths
from core.errors import PlaygroundError
from core.hosting.mode import allowed_models
from core.hosting.ownership import visible
from core.hosting.people import person


def listed() -> tuple[str, ...]:
    """The models on the list, for a person; none where everything may be opened."""
    return () if person() is None else allowed_models()


def may_open(model: str) -> bool:
    """Whether `check_model` lets it pass."""
    try:
        check_model(model)
    except PlaygroundError:
        return False
    return True


def check_model(model: str) -> None:
    """Raises PlaygroundError for a model that is neither on the list nor made by a run that the person may see."""
    if person() is None or model in allowed_models() or _run_of(model) is not None:
        return
    raise PlaygroundError(
        f"On this server these models can be opened: {', '.join(allowed_models())}, and what your own runs make."
    )


def check_folder(folder: str | Path) -> None:
    """Raises PlaygroundError for a folder outside the runs that the person may see."""
    if person() is not None and _run_of(str(folder)) is None:
        raise PlaygroundError("On this server only folders of your own runs can be opened.")


def check_file(name: str | Path) -> None:
    """Raises PlaygroundError for any file of the machine: a person uploads theirs."""
    if person() is not None:
        raise PlaygroundError(f"{Path(name).name!r}: on this server no files of the machine can be read.")


def check_run(run_id: str) -> None:
    """Raises PlaygroundError for a run that the person may not see, in the words for one that does not exist."""
    if person() is not None and not _sees(run_id):
        raise PlaygroundError(f"There is no run named {run_id}: `runs list` shows those there are.")


def _run_of(path: str) -> str | None:
    """The id of the run in whose folder `path` lies, when the person may see it. Says nothing of other folders."""
    runs = paths.home() / "runs"
    try:
        inside = Path(path).expanduser().resolve().relative_to(runs.resolve())
    except (ValueError, OSError, RuntimeError):
        return None
    return inside.parts[0] if Path(path).is_absolute() and len(inside.parts) > 1 and _sees(inside.parts[0]) else None


def _sees(run_id: str) -> bool:
    import sqlalchemy as sa

    from core.database.engine import engine, reading
    from core.database.schema import runs

    with reading(engine()) as connection:
        found = sa.select(runs.c.id).where(runs.c.id == run_id, visible(runs.c.owner))
        return connection.execute(found).first() is not None
