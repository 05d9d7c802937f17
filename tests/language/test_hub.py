"""Policies from the hub: the cache, no network, and what is refused before it is downloaded."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.errors import PlaygroundError
from core.language import hub, registry

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """An empty cache, and a hub that may be asked."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_cached_model_is_used_without_a_network(make_folder, hub_cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert registry.policy_info("somebody/tiny").status == "unavailable"
    repository = hub_cache / "models--somebody--tiny"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots").mkdir()
    make_folder().rename(repository / "snapshots" / "abc")
    assert registry.policy_info("somebody/tiny").status == "ready"
    model, _ = registry.load_policy("somebody/tiny")
    assert model.num_parameters() > 0
    (repository / "snapshots" / "abc" / "tokenizer.json").unlink()  # as an interrupted download leaves it
    assert hub.cached_folder("somebody/tiny") is None


def test_without_a_network_there_is_one_sentence_within_seconds():
    """In a process of its own: the client reads its endpoint once. Nothing listens on port 9."""
    code = "from core.language.registry import load_policy; load_policy('somebody/tiny')"
    environment = os.environ | {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9"}
    began = time.monotonic()
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "PlaygroundError: somebody/tiny is not on this machine" in answer.stderr
    assert "connect to the network" in answer.stderr
    assert time.monotonic() - began < 20


def test_a_hub_model_with_pickles_alone_is_refused_before_anything_is_downloaded(hub_cache, monkeypatch):
    names = ("config.json", "pytorch_model.bin", "onnx/a.safetensors")
    info = SimpleNamespace(siblings=[SimpleNamespace(rfilename=name) for name in names])
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: info)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("it was downloaded"))
    with pytest.raises(PlaygroundError, match="no safetensors"):
        registry.add_policy("somebody/old")
    assert len(registry.list_policies()) == 4
