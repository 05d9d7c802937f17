"""Content + position = input: the model's own hidden state. A turned query: what the model's own attention dots."""

import numpy as np
import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from core.anatomy.embedding_views import input_view, positions_view
from core.anatomy.embeddings import content_plus_position, turned_queries
from core.anatomy.specimens import open_specimen
from core.anatomy.vocabulary import cosine
from core.errors import PlaygroundError
from tests.tiny import OPENED, gpt2, llama, tokenizer

IDS = [5, 9, 200, 9, 4000, 3]


@pytest.mark.parametrize("family", OPENED)
def test_the_input_is_the_models_own_first_hidden_state(family):
    model = OPENED[family]()
    with torch.no_grad():
        own = model(torch.tensor([IDS]), output_hidden_states=True).hidden_states[0][0]
    np.testing.assert_allclose(content_plus_position(model, IDS)["input"], own.numpy(), atol=1e-6)


def test_it_is_the_storytellers_too():
    model, tokenizer = open_specimen("storyteller")
    ids = tokenizer("The dog saw the dog")["input_ids"]
    with torch.no_grad():
        own = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[0][0]
    np.testing.assert_allclose(content_plus_position(model, ids)["input"], own.numpy(), atol=1e-6)


def test_the_same_token_has_one_content_and_two_inputs():
    vectors = content_plus_position(gpt2(), IDS)
    np.testing.assert_array_equal(vectors["content"][1], vectors["content"][3])
    assert cosine(vectors["input"][1], vectors["input"][3]) < 0.99
    np.testing.assert_allclose(vectors["input"], vectors["content"] + vectors["position"])


def test_where_positions_rotate_nothing_is_added():
    vectors = content_plus_position(llama(), IDS)
    assert vectors["position"] is None
    np.testing.assert_array_equal(vectors["input"], vectors["content"])


@pytest.mark.parametrize("head", [0, 3])
def test_turned_queries_are_those_that_the_models_own_rotation_gives(head):
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    model = llama()
    layer = model.model.layers[0]
    with torch.no_grad():
        x = layer.input_layernorm(model.model.embed_tokens(torch.tensor([IDS])))
        query = layer.self_attn.q_proj(x).view(1, len(IDS), 4, 8).transpose(1, 2)
        cos, sin = model.model.rotary_emb(x, torch.arange(len(IDS))[None])
        own, _ = apply_rotary_pos_emb(query, query, cos, sin)
    found = turned_queries(model, IDS, head=head)
    np.testing.assert_allclose(found["query"], query[0, head].numpy(), atol=1e-5)
    np.testing.assert_allclose(found["turned"], own[0, head].numpy(), atol=1e-5)


def test_a_rotation_keeps_lengths():
    found = turned_queries(llama(), IDS)
    np.testing.assert_allclose(*(np.linalg.norm(found[name], axis=1) for name in ("query", "turned")), rtol=1e-5)


def test_cosine_of_nothing_is_zero():
    assert cosine(np.zeros(3), np.ones(3)) == 0.0
    assert cosine(np.array([1.0, 1.0]), np.array([2.0, 2.0])) == pytest.approx(1.0)


def test_a_family_whose_inside_is_not_known_is_refused_in_words():
    heads = {"num_hidden_layers": 1, "num_attention_heads": 2}
    policy = OPTForCausalLM(OPTConfig(vocab_size=64, hidden_size=32, ffn_dim=64, word_embed_proj_dim=32, **heads))
    for look in (lambda: input_view(policy, tokenizer(), [5, 6]), lambda: positions_view(policy, None, 8)):
        with pytest.raises(PlaygroundError, match="opt model cannot be opened here"):
            look()
