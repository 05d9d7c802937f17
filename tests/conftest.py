"""Every test has a data folder of its own and never sees the user's."""

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RLHF_PLAYGROUND_DB", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
