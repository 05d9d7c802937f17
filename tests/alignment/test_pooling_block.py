"""The pooling block: at first the mean over the text, computed here the long way; then a block like any other."""

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Olmo2Config, Olmo2ForCausalLM

from core.alignment.configs import RewardConfig
from core.alignment.loss_surface.trail import Trail
from core.alignment.pooling_block import can_pool, pooling_block
from core.alignment.reward_folders import load_reward_model, save_reward_model
from core.alignment.reward_model import Normalisation, new_reward_model, score
from core.alignment.reward_training import head_and_trunk, train_reward_model, untrained
from core.feedback.pairs import PreferencePair
from core.language.snapshots import save_snapshot
from tests import tiny

TEXTS = [tiny.PROMPTS[1] + " and ran.", "The sun"]


def pooled(family, after=1):
    return new_reward_model(tiny.FAMILIES[family](), tiny.tokenizer(), after)


def whitened(x, eps, centred):
    x = x - x.mean(-1, keepdim=True) if centred else x
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt()


@torch.no_grad()
@pytest.mark.parametrize("family", tiny.OPENED)
@pytest.mark.parametrize("after", [1, 2])
def test_it_starts_as_the_mean_over_the_text(family, after):
    """Hidden state behind the block = what went in + output · (values · mean over the places of the normed states)."""
    policy, model = tiny.FAMILIES[family](), pooled(family, after)
    weights = dict(pooling_block(model).named_parameters())
    for text in TEXTS:
        ids = torch.tensor([tiny.tokenizer()(text)["input_ids"]])
        states = {}
        blocks = policy.transformer.h if family == "gpt2" else policy.model.layers
        hook = blocks[after - 1].register_forward_hook(
            lambda _, __, out, states=states: states.update(out=out[0] if isinstance(out, tuple) else out)
        )
        policy(ids)
        hook.remove()
        went_in = states["out"][0]
        mean = whitened(went_in, 1e-5 if family == "gpt2" else 1e-6, family == "gpt2").mean(0)
        if family == "gpt2":
            added = (mean @ weights["attn.c_attn.weight"][:, 64:]) @ weights["attn.c_proj.weight"]
        else:
            values = (weights["self_attn.v_proj.weight"] @ mean).view(2, 1, -1).expand(2, 2, -1).reshape(-1)
            added = weights["self_attn.o_proj.weight"] @ values
        expected = whitened(went_in[-1] + added, 1e-5 if family == "gpt2" else 1e-6, family == "gpt2")
        behind = model.base_model(ids).last_hidden_state[0, -1]
        torch.testing.assert_close(behind, expected, atol=1e-4, rtol=1e-4)
        assert added.norm() > 5 * went_in[-1].norm()  # the mean is what speaks


def test_it_starts_alike_every_time():
    first, second = (pooled("llama").state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_plain_transformers_opens_it_and_scores_alike(family, tmp_path):
    model, tokenizer = pooled(family), tiny.tokenizer()
    torch.nn.init.normal_(model.score.weight, generator=torch.Generator().manual_seed(0))
    save_reward_model(model, tokenizer, Normalisation(), tmp_path / "rm")
    mine = score(model, tokenizer, ["", ""], TEXTS)
    torch.testing.assert_close(score(load_reward_model(tmp_path / "rm").model, tokenizer, ["", ""], TEXTS), mine)
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "rm")
    batch = AutoTokenizer.from_pretrained(tmp_path / "rm")(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = plain(batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, 0]
    torch.testing.assert_close(logits, mine, atol=1e-4, rtol=1e-4)
    assert plain.config.num_hidden_layers == 2


@pytest.mark.parametrize("rank", [0, 2])
def test_what_starts_from_nothing_is_all_trained_at_the_heads_rate(rank, monkeypatch):
    monkeypatch.setattr("core.language.adapters.LORA_FROM", 1)
    config = RewardConfig(pooling_after=1, lora_rank=rank)
    model = untrained(tiny.llama(), tiny.tokenizer(), config)
    head, trunk = head_and_trunk(model)
    names = {id(p): name for name, p in model.named_parameters()}
    fast, slow = {names[id(p)] for p in head}, {names[id(p)] for p in trunk}
    assert {name for name in names.values() if "layers.1." in name} <= fast
    assert any("score" in name for name in fast)
    assert slow and all("layers.1." not in name and "score" not in name for name in slow)
    assert rank == 0 or all("lora" in name for name in slow)


def test_no_mean_is_put_where_a_blocks_own_norm_would_hush_it():
    assert not can_pool(tiny.gemma2())
    olmo = {"vocab_size": 64, "hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    assert not can_pool(Olmo2ForCausalLM(Olmo2Config(**olmo, num_hidden_layers=1, pad_token_id=1)))
    assert len(pooled("gemma2", 1).base_model.layers) == 2  # the whole trunk


@pytest.mark.parametrize("family", tiny.OPENED)
def test_few_votes_on_what_a_text_contains_are_learned(family):
    """Which text has the word in its middle: the mean tells at once, far from the last token."""
    pairs = [PreferencePair(f"{n}", " we saw happy dogs and ran", " we saw little dogs and ran") for n in range(64)]
    config = RewardConfig(pooling_after=1, batch_pairs=8, epochs=3, learning_rate=1e-4, head_learning_rate=1e-2)
    model = untrained(tiny.FAMILIES[family](), tiny.tokenizer(), config)
    *_, last = train_reward_model(model, tiny.tokenizer(), pairs, config)
    assert last.metrics["loss"] < 0.05


def test_a_family_that_lists_its_layers_opens_again(tmp_path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = {"vocab_size": 4096, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    policy = Qwen2ForCausalLM(Qwen2Config(**shape, **heads, eos_token_id=0, pad_token_id=1))
    model = new_reward_model(policy, tiny.tokenizer(), 1)
    torch.nn.init.normal_(model.score.weight)
    save_reward_model(model, tiny.tokenizer(), Normalisation(), tmp_path / "rm")
    again = load_reward_model(tmp_path / "rm").model
    assert again.config.layer_types == ["full_attention"] * 2
    mine = score(model, tiny.tokenizer(), ["", ""], TEXTS)
    torch.testing.assert_close(score(again, tiny.tokenizer(), ["", ""], TEXTS), mine)


def test_another_family_keeps_its_whole_trunk():
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    shape = {"vocab_size": 4096, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    policy = GPTNeoXForCausalLM(GPTNeoXConfig(**shape, num_attention_heads=2, eos_token_id=0, pad_token_id=1))
    model = new_reward_model(policy, tiny.tokenizer(), 1)
    assert model.config.num_hidden_layers == 2 and pooling_block(model) is None


def test_weights_kept_on_the_way_hold_all_that_is_trained_beside_adapters_too(monkeypatch, tmp_path):
    """Of new blocks, which are trained whole, peft saves nothing."""
    monkeypatch.setattr("core.language.adapters.LORA_FROM", 1)
    model = untrained(tiny.llama(), tiny.tokenizer(), RewardConfig(pooling_after=1, lora_rank=2))
    save_snapshot(model, tmp_path / "kept")
    trail = Trail(model, [tmp_path / "kept"], start=False)
    assert torch.equal(trail.at(0), torch.cat([p.flatten() for p in model.parameters() if p.requires_grad]))
    assert any("layers.1." in name for name in trail.parameters)
