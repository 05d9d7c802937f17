"""t-SNE and UMAP for the map: started when asked for, watched while they work, the map standing by PCA meanwhile."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.anatomy.projection import Progress, Projection, folder_of, progress_of, result_of, start
from core.errors import PlaygroundError
from pages._embeddings.views import cloud_of
from pages._parts.text import escaped
from pages._parts.told import fragment


def projected(specimen_id: str, method: Any, dimensions: Any, ids: np.ndarray) -> np.ndarray | None:
    """Coordinates for `ids`, NaN for those that are not drawn by default; None while they are being made."""
    folder = Path(_folder(specimen_id, method, dimensions))
    progress = progress_of(folder)
    if progress.status == "done":
        try:
            made = result_of(folder)
        except PlaygroundError as error:
            st.error(escaped(str(error)))
            return None
        drawn = cloud_of(specimen_id).drawn
        points = np.full((len(ids), dimensions), np.nan)
        places = {int(token): at for at, token in enumerate(drawn)}
        for row, token in enumerate(ids):
            if int(token) in places:
                points[row] = made[places[int(token)]]
        return points
    if progress.status == "failed":
        st.error(escaped(f"{method}: {progress.message}."))
        if not st.button("Try it again", key="projection_again"):
            return None
    if progress.status != "working":
        start(cloud_of(specimen_id).vectors[cloud_of(specimen_id).drawn], Projection(method, dimensions))
    _watch(str(folder))
    return None


@st.cache_data(max_entries=16, show_spinner=False)
def _folder(specimen_id: str, method: Any, dimensions: Any) -> str:
    cloud = cloud_of(specimen_id)
    return str(folder_of(cloud.vectors[cloud.drawn], Projection(method, dimensions)))


@fragment(run_every=1.0)
def _watch(folder: str) -> None:
    """A bar that moves by itself; the page is drawn anew when it is full."""
    progress = progress_of(Path(folder))
    if progress.status in ("done", "failed"):
        st.rerun()
    st.progress(progress.done / progress.of if progress.of else 0.0, _words(progress))


def _words(progress: Progress) -> str:
    if not progress.of:
        return "Being made in the background; meanwhile the map is PCA's."
    return f"Being made in the background: iteration {progress.done:,} of {progress.of:,}; meanwhile the map is PCA's."
