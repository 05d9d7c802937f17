"""Models: what is here, what can be had, and what is said when it cannot."""

import pytest

from core.errors import PlaygroundError
from core.language.registry import PolicyInfo
from tests.pages.page_helpers import fine, opened, said


def test_every_policy_is_there_with_its_size_and_licence():
    words = said(opened("models"))
    assert "<b>Storyteller</b><span>✓ ready</span>" in words
    assert "5.9M parameters · 12 MB · licence MIT · reads 256 tokens at once · continues a text" in words
    for title, licence in (
        ("SmolLM2 135M Instruct", "Apache-2.0"),
        ("GPT-2 small", "MIT"),
        ("DistilGPT-2", "Apache-2.0"),
    ):
        assert f"<b>{title}</b>" in words
        assert f"licence {licence}" in words


def test_without_a_network_nothing_of_the_hub_is_offered():
    """The tests' environment forbids the hub."""
    assert "HF_HUB_OFFLINE forbids the network" in said(opened("models"))


def test_a_folder_that_is_no_model_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    at = opened("models")
    at.text_input[0].set_value(str(tmp_path))
    at = fine(next(button for button in at.button if button.label == "Add it").click().run())
    words = said(at)
    assert "It could not be added." in words
    assert "safetensors" in words


def test_something_fetched_shows_its_progress_and_then_a_card(monkeypatch):
    shares, here = [], []
    info = PolicyInfo("some/model", "A <b>model</b>", 1_000_000, 4.0, "MIT", "the hub", True, "chat", "ready")

    def add(policy_id, on_progress):
        on_progress(0.25, "downloading model.safetensors")
        shares.append(policy_id)
        here.append(info)
        return info

    monkeypatch.setattr("core.language.registry.add_policy", add)
    monkeypatch.setattr("core.language.registry.list_policies", lambda: list(here))
    at = opened("models")
    at.text_input[0].set_value("some/model")
    at = fine(next(button for button in at.button if button.label == "Add it").click().run())
    assert shares == ["some/model"]
    assert "It is here now:" in said(at)
    assert "A &lt;b&gt;model&lt;/b&gt;" in said(at)
    assert "answers a chat" in said(at)


@pytest.mark.parametrize(
    "message", ["gpt2 is not on the hub: check its name.", "No network: connect, or give a folder."]
)
def test_what_the_registry_says_is_what_the_page_says(monkeypatch, message):
    def add(*_, **__):
        raise PlaygroundError(message)

    monkeypatch.setattr("core.language.registry.add_policy", add)
    at = opened("models")
    at.text_input[0].set_value("gpt2")
    at = fine(next(button for button in at.button if button.label == "Add it").click().run())
    assert message in said(at)
