import json

import pytest

from core.cli.main import main


@pytest.fixture
def run(capfd, monkeypatch):
    """Run a command in this process: (exit status, stdout, stderr)."""
    monkeypatch.setenv("TRANSFORMERS_VERBOSITY", "error")

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return call


@pytest.fixture
def preference_file(tmp_path):
    rows = [
        {"prompt": f"Day {i}:", "chosen": f" a happy day {i}", "rejected": f" a sad, sad day {i}"} for i in range(24)
    ]
    file = tmp_path / "prefs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture(scope="module")
def reward_folder(tmp_path_factory):
    """A reward model of plain transformers' making, with random weights on the storyteller's tokens."""
    import torch
    from transformers import GPT2Config, GPT2ForSequenceClassification

    from core.language.registry import load_tokenizer

    folder = tmp_path_factory.mktemp("rm") / "reward_model"
    tokenizer = load_tokenizer("storyteller")
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=256, n_embd=32, n_layer=2, n_head=2, num_labels=1,
        problem_type="regression", pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
