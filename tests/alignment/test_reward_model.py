"""The reward model's loss, its one definition of a score, and its folder as plain transformers sees it."""

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    CTRLConfig,
    CTRLLMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
    pipeline,
)

from core.alignment.configs import LoopConfig, RewardConfig
from core.alignment.loop import run_loop
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import (
    Normalisation,
    _tell_cut,
    new_reward_model,
    pad_right,
    pairwise_loss,
    raw_scores,
    running_scores,
    score,
)
from core.alignment.runs import run_reward
from core.errors import PlaygroundError
from tests import tiny

PROMPTS = [*tiny.PROMPTS, "A", "The end came"]
RESPONSES = [" upon a time.", " and he was very, very happy all day long.", "", ' pie"', "!", "<|endoftext|>"]


def reward_model(family="gpt2"):
    model = new_reward_model(tiny.FAMILIES[family](), tiny.tokenizer())
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    return model


def test_the_loss_and_its_gradient_are_the_closed_form():
    chosen = torch.tensor([1.5, -0.3, 0.0, 40.0], dtype=torch.double, requires_grad=True)
    rejected = torch.tensor([0.2, 0.9, 0.0, -40.0], dtype=torch.double, requires_grad=True)
    loss = pairwise_loss(chosen, rejected)
    difference = (chosen - rejected).detach()
    torch.testing.assert_close(loss, -torch.log(1 / (1 + torch.exp(-difference))).mean())
    loss.backward()
    torch.testing.assert_close(chosen.grad, (difference.sigmoid() - 1) / 4)
    torch.testing.assert_close(rejected.grad, -(difference.sigmoid() - 1) / 4)
    assert torch.autograd.gradcheck(pairwise_loss, (chosen[:3], rejected[:3]))
    shifted = pairwise_loss(chosen + 7, rejected + 7)
    torch.testing.assert_close(shifted, loss)  # only differences matter
    assert pairwise_loss(chosen, rejected, margin=1.0) > loss


def test_a_family_without_a_classifier_is_refused_before_a_pair_is_written(tmp_path):
    shape = {"vocab_size": 4096, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    policy = GraniteForCausalLM(GraniteConfig(**shape, num_attention_heads=2, eos_token_id=0, pad_token_id=1))
    policy.save_pretrained(tmp_path / "granite")
    tiny.tokenizer().save_pretrained(tmp_path / "granite")
    with pytest.raises(PlaygroundError, match="no sequence classifier of the granite family"):
        new_reward_model(policy, tiny.tokenizer())
    with pytest.raises(PlaygroundError, match="granite: transformers has no sequence classifier"):
        next(run_loop(LoopConfig(model=str(tmp_path / "granite"), pairs=8), tmp_path / "out"))


def test_a_family_whose_classifier_reads_otherwise_is_refused_before_a_pair_is_written(tmp_path):
    config = CTRLConfig(vocab_size=4096, n_embd=16, n_layer=1, n_head=2, dff=32, n_positions=64)
    CTRLLMHeadModel(config).save_pretrained(tmp_path / "ctrl")
    tiny.tokenizer().save_pretrained(tmp_path / "ctrl")
    with pytest.raises(PlaygroundError, match="ctrl family that scores a text at its end"):
        next(run_reward(["simulated:sunny:8"], str(tmp_path / "ctrl"), RewardConfig(), tmp_path / "out"))


def test_a_text_that_is_cut_is_told_once(caplog):
    model, tokenizer = reward_model(), tiny.tokenizer()
    _tell_cut.cache_clear()
    long = " and he was very happy" * 40
    first, again = (score(model, tokenizer, ["Once"], [long]) for _ in range(2))
    assert torch.equal(first, again)
    said = [one.getMessage() for one in caplog.records]
    assert said == ["A text is longer than the 64 tokens that are read of one: only its end is read."]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_score_is_the_same_alone_and_in_a_batch(family):
    model, tokenizer = reward_model(family), tiny.tokenizer()
    together = score(model, tokenizer, PROMPTS, RESPONSES)
    alone = torch.cat([score(model, tokenizer, [p], [r]) for p, r in zip(PROMPTS, RESPONSES, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert together.std() > 0.1  # the texts are told apart at all


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_plain_transformers_opens_the_folder_and_scores_identically(family, precision, tmp_path, monkeypatch):
    monkeypatch.setenv("RLHF_PLAYGROUND_PRECISION", precision)  # of training: a score is float32 in any case
    model, tokenizer = reward_model(family), tiny.tokenizer()
    expected = score(model, tokenizer, PROMPTS, RESPONSES)
    save_reward_model(model, tokenizer, Normalisation(0.5, 2.0, "tiny"), tmp_path / "reward")

    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    plain_tokenizer = AutoTokenizer.from_pretrained(tmp_path / "reward")
    texts = [p + r for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    batch = plain_tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        torch.testing.assert_close(plain(**batch).logits[:, 0], expected, atol=1e-5, rtol=0)
    assert plain.dtype == torch.float32 and plain.num_labels == 1
    piped = pipeline("text-classification", model=plain, tokenizer=plain_tokenizer)(texts)
    assert [row["score"] for row in piped] == pytest.approx(expected.tolist(), abs=1e-5)  # not squashed

    ours = load_reward_model(tmp_path / "reward")
    torch.testing.assert_close(score(ours.model, ours.tokenizer, PROMPTS, RESPONSES), expected, atol=1e-5, rtol=0)
    assert ours.normalisation == Normalisation(0.5, 2.0, "tiny")
    assert ours.normalise(torch.tensor([2.5])).item() == 1.0


@torch.no_grad()
def test_plain_transformers_cuts_a_text_that_is_too_long_where_we_do(tmp_path):
    model, tokenizer = reward_model("gpt2"), tiny.tokenizer()
    save_reward_model(model, tokenizer, Normalisation(0.0, 1.0, "tiny"), tmp_path / "reward")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward")
    text = " ".join(f"{n} dogs ran" for n in range(99))
    batch = AutoTokenizer.from_pretrained(tmp_path / "reward")("Once " + text, return_tensors="pt", truncation=True)
    assert batch["input_ids"].shape[1] == 64  # the tiny model's context
    torch.testing.assert_close(plain(**batch).logits[:, 0], score(model, tokenizer, ["Once "], [text]))
    assert tokenizer.truncation_side == "right"  # the one given stays as it was


def test_running_scores_are_the_scores_of_the_prefixes():
    model, tokenizer = reward_model(), tiny.tokenizer()
    prompt, response = "One day, a dog", " ran to the park."
    running = running_scores(model, tokenizer, prompt, response)
    ids = tokenizer(prompt + response)["input_ids"]
    assert "".join(token for token, _ in running) == prompt + response
    for length, (_, value) in enumerate(running, 1):
        with torch.no_grad():
            expected = model(torch.tensor([ids[:length]])).logits.item()
        assert value == pytest.approx(expected, abs=1e-5)


def test_the_pad_token_must_be_its_own():
    tokenizer = tiny.tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    with pytest.raises(PlaygroundError, match="pad token"):
        new_reward_model(tiny.gpt2(), tokenizer)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_under_autocast_the_head_is_in_float32(family):
    """The trunk's states as they come, rounded, and a product with the head's weights that is not."""
    tokenizer = tiny.tokenizer()
    model = new_reward_model(tiny.FAMILIES[family](), tokenizer)
    torch.nn.init.normal_(model.score.weight)
    ids, mask = pad_right([[5, 9, 7], [8, 3]], tokenizer.pad_token_id, torch.device("cpu"))
    with torch.autocast("cpu", torch.bfloat16):
        found = raw_scores(model, ids, mask)
        states = model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    expected = torch.stack([states[0, 2], states[1, 1]]).float() @ model.score.weight[0]
    torch.testing.assert_close(found, expected)
    assert (found.bfloat16().float() != found).any()
    torch.testing.assert_close(found, raw_scores(model, ids, mask), atol=0.1, rtol=0.05)
