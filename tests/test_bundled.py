"""What is shipped: the storyteller as its card says, pairs to vote on, and a gallery of this very model."""

import json
import math
import statistics

import pytest
import torch

from core.alignment.configs import LoopConfig
from core.feedback.annotators import get_annotator
from core.feedback.prompts import load_prompts
from core.feedback.sources import bundled_pairs
from core.gallery import load_entry
from core.language.configs import PretrainConfig
from core.language.registry import STORYTELLER, load_policy, model_hash


def test_the_storyteller_is_what_its_recipe_says():
    recipe = json.loads((STORYTELLER / "recipe.json").read_text())
    assert PretrainConfig(**recipe["config"]) == PretrainConfig()
    model, tokenizer = load_policy("storyteller")
    assert 5_500_000 < model.num_parameters() < 6_500_000
    assert type(model).__name__ == "GPT2LMHeadModel" and model.config.n_positions == 256
    assert len(tokenizer) == 4096 and tokenizer.pad_token_id != tokenizer.eos_token_id
    assert (STORYTELLER / "model.safetensors").stat().st_size <= 13_000_000
    card = (STORYTELLER / "README.md").read_text(encoding="utf-8")
    assert f"{recipe['bits_per_byte_heldout']:.3f} bits per byte" in card and "\n20. **" in card


def test_the_gallery_was_computed_with_the_shipped_model_and_the_shipped_defaults():
    entry = load_entry("loop")
    assert entry["model_hash"] == model_hash(STORYTELLER)
    assert LoopConfig(**entry["config"]) == LoopConfig()
    assert entry["command"] == "python -m core gallery --only loop"


def test_the_gallerys_examples_are_judged_as_their_annotator_judges():
    entry = load_entry("loop")
    annotator = get_annotator(entry["annotator"])
    heldout = load_prompts("stories").heldout
    for row, prompt in zip(entry["examples"], heldout, strict=False):
        assert row["prompt"] == prompt
        assert row["gold_tuned"] == pytest.approx(annotator.utility(prompt, row["tuned_response"]))
        assert row["gold_reference"] == pytest.approx(annotator.utility(prompt, row["reference_response"]))
    ppo, drift = entry["config"]["ppo"], [row["objective/kl_exact"] for row in entry["curves"]["ppo"]]
    spent = [statistics.mean(drift[max(0, at - 2) : at + 1]) for at in range(len(drift))]  # over three updates
    assert all(nats < ppo["kl_budget"] for nats in spent[:-1])  # it ended when the budget was spent, and no later
    assert len(drift) == ppo["updates"] or spent[-1] >= ppo["kl_budget"]


def test_the_first_vote_never_waits():
    pairs = bundled_pairs()
    assert len(pairs) >= 200
    assert all(pair.response_a != pair.response_b for pair in pairs)
    assert {pair.prompt for pair in pairs} <= set(load_prompts("stories").train)


def test_the_early_weights_lie_between_the_random_start_and_the_shipped_model():
    """After the first hundredth of pre-training a bundled story is less of a surprise than at the start, and more than now."""
    from core.anatomy.specimens import open_specimen

    def loss(specimen_id):
        model, tokenizer = open_specimen(specimen_id)
        texts = [pair.prompt + pair.response_a for pair in bundled_pairs()[:16]]
        batch = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
        with torch.no_grad():
            return sum(model(ids, labels=ids).loss.item() for ids in batch) / len(batch)

    start, early, now = (loss(f"storyteller{at}") for at in ("@start", "@1%", ""))
    assert start == pytest.approx(math.log(4096), abs=0.3)  # knows nothing yet: every token is as likely as any
    assert now + 2 < early < start - 1
