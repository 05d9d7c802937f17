"""Reading what a surface run has measured so far. No torch."""

import json
from pathlib import Path
from typing import Any

VIEW_FILE = "surface.json"


def read_view(folder: Path) -> dict[str, Any] | None:
    """What `surface_run.Drawing.view` says, as far as the run in `folder` has come; None before its first points."""
    try:
        return dict(json.loads((folder / VIEW_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
