"""Nobody of a class opens the machine's files, or a model that is not on the list."""

from pathlib import Path

import pytest

from core import paths
from core.errors import PlaygroundError
from core.feedback.prompts import load_prompts
from core.feedback.sources import load_preferences
from core.hosting.people import acting_as
from core.language.registry import add_policy, list_policies, load_policy, policy_folder, policy_info
from core.runs.jobs import RaceJob
from core.runs.store import RunStore
from tests.hosting.hosting_helpers import refused


class TestModels:
    def test_a_person_opens_what_is_on_the_list_and_what_their_runs_made(self, hosted, monkeypatch, tmp_path):
        runs = RunStore()
        made = {}
        for name in ("anna", "ben"):
            with acting_as(name):
                folder = runs.create(RaceJob()).folder / "policy"
                folder.mkdir()
                (folder / "config.json").write_text("{}")
                made[name] = str(folder)
        outside = tmp_path / "outside"
        outside.mkdir()
        (paths.home() / "runs" / "link").symlink_to(outside)
        with acting_as("ben"):
            assert {info.id for info in list_policies()} == {"storyteller", "smollm2-135m", made["ben"]}
            tried = [
                "gpt2",
                "distilgpt2",
                "somebody/model",
                made["anna"],
                str(outside),
                "~",
                "/",
                ".",
                "core/language/storyteller",
            ]
            tried += [
                f"{paths.home()}/runs/link",
                str(paths.home()),
                str(paths.home() / "runs"),
                f"{made['ben']}/../../{Path(made['anna']).parent.name}/policy",
            ]
            for model in tried:
                for act in (policy_info, policy_folder, load_policy, add_policy):
                    words = "these models can be opened: storyteller, smollm2-135m"
                    assert refused(lambda act=act, model=model: act(model), words), model
            assert policy_info("storyteller").status == "ready"
        monkeypatch.setenv("RLHF_PLAYGROUND_MODELS", "gpt2, somebody/model")
        with acting_as("ben"):
            assert {info.id for info in list_policies()} == {"storyteller", "gpt2", "somebody/model", made["ben"]}
            with pytest.raises(PlaygroundError, match="HF_HUB_OFFLINE"):  # asked for, at last
                load_policy("somebody/model")

    def test_nothing_is_said_about_whether_a_folder_exists(self, hosted):
        said = set()
        for path in ("/etc", "/no/such/folder"):
            with acting_as("ben"), pytest.raises(PlaygroundError) as refused:
                policy_info(path)
            said.add(str(refused.value))
        assert len(said) == 1

    def test_no_file_of_the_machine_is_read(self, hosted, tmp_path):
        from core.alignment.reward_folders import load_reward_model
        from core.language.corpus import read_texts

        file = tmp_path / "secret.jsonl"
        file.write_text('{"prompt": "a secret", "chosen": "a", "rejected": "b", "text": "c"}\n')
        acts = [
            lambda: load_prompts(str(file)),
            lambda: load_preferences(str(file)),
            lambda: list(read_texts(str(file))),
            lambda: load_reward_model(tmp_path),
        ]
        for act in acts:
            with acting_as("ben"), pytest.raises(PlaygroundError, match="On this server|on this server"):
                act()
