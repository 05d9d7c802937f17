"""Pre-training: the data, the schedule, the optimiser, and a run that survives being cut off."""

import hashlib
import json
import math

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import PlaygroundError
from core.language.configs import PretrainConfig
from core.language.corpus import is_heldout, read_texts, train_tokenizer
from core.language.evaluation import bits_per_byte
from core.language.muon import Muon, orthogonalise
from core.language.pretraining import new_model, pretrain, tokenise, training_rows
from core.language.pretraining_run import run_pretraining
from tests import tiny

NAMES = ["Tom", "Ann", "Max", "Lily", "Sam", "Mia"]
STORIES = [
    f'One day {name} saw a {colour} {thing}. {name} said, "I like the {colour} {thing}!" Then {name} went home.'
    for name in NAMES
    for colour in ("red", "blue", "green", "old")
    for thing in ("ball", "kite", "boat", "hat")
]
CONFIG = PretrainConfig(
    n_layer=2, n_embd=32, n_head=2, vocab_size=400, context=32, steps=12, batch_tokens=128, warmup_steps=3
)


def test_a_story_is_held_out_by_the_hash_of_its_words():
    for story in STORIES:
        digest = hashlib.sha256(" ".join(story.lower().split()).encode()).hexdigest()
        assert is_heldout(story) == (int(digest[:8], 16) % 20 == 0)
        assert is_heldout(story) == is_heldout("  " + story.upper().replace(" ", "\n"))


def test_texts_are_read_from_every_format(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": s, "source": "x"}) + "\n" for s in STORIES[:2]))
    (tmp_path / "b.txt").write_text("first story\nits second line\n<|endoftext|>\nsecond story\n")
    (tmp_path / "c.txt").write_text("one\n\ntwo\n")
    assert list(read_texts(str(tmp_path))) == [
        *STORIES[:2],
        "first story\nits second line",
        "second story",
        "one",
        "two",
    ]
    (tmp_path / "d.jsonl").write_text('{"text": "fine"}\n{"no": 1}\n')
    with pytest.raises(ValueError, match="d.jsonl, line 2"):
        list(read_texts(str(tmp_path / "d.jsonl")))
    with pytest.raises(FileNotFoundError, match="no such file"):
        list(read_texts(str(tmp_path / "none.jsonl")))


def test_rows_are_a_function_of_seed_and_step_and_come_from_the_stream():
    tokenizer = train_tokenizer(STORIES, 400, 32)
    stream, starts = tokenise(tokenizer, STORIES)
    assert all(stream[start] == tokenizer.eos_token_id for start in starts) and len(starts) == len(STORIES)
    rows = training_rows(CONFIG, stream, starts, 3)
    assert rows.shape == (8, 17)  # half the context at first
    assert training_rows(CONFIG, stream, starts, 11).shape == (4, 33)
    assert torch.equal(rows, training_rows(CONFIG, stream, starts, 3))
    assert not torch.equal(rows, training_rows(CONFIG, stream, starts, 4))
    windows = {tuple(stream[i : i + 17]) for i in range(len(stream) - 16)}
    assert all(tuple(row.tolist()) in windows for row in rows)


def test_the_schedule_rises_stays_and_falls_to_nothing():
    config = PretrainConfig(steps=100, warmup_steps=10, cooldown_share=0.4)
    scales = [config.lr_scale(step) for step in range(100)]
    assert scales[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert set(scales[10:60]) == {1.0}
    assert np.diff(scales[60:]) == pytest.approx([-1 / 40] * 39) and scales[-1] == pytest.approx(1 / 40)


def test_muons_step_is_orthogonal():
    for shape in ((24, 24), (16, 64), (64, 16)):
        singular_values = torch.linalg.svdvals(
            orthogonalise(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
        )
        assert singular_values.min() > 0.5 and singular_values.max() < 1.3
    matrix = torch.nn.Parameter(torch.zeros(16, 48))
    optimizer = Muon([{"params": [matrix], "blocks": 3}], lr=0.1)
    matrix.grad = torch.randn(16, 48, generator=torch.Generator().manual_seed(1))
    optimizer.step()
    for block in matrix.detach().chunk(3, dim=1):
        values = torch.linalg.svdvals(block) / 0.1
        assert values.min() > 0.5 and values.max() < 1.3


def test_a_cut_off_training_becomes_what_it_would_have_been():
    tokenizer = train_tokenizer(STORIES, 400, 32)
    stream, starts = tokenise(tokenizer, STORIES)
    whole = [record.metrics["loss"] for record in pretrain(new_model(CONFIG), stream, starts, CONFIG)]
    assert whole[-1] < whole[0] - 1 and whole[0] == pytest.approx(math.log(400), abs=0.3)
    for record in pretrain(new_model(CONFIG), stream, starts, CONFIG):
        if record.step == 5:
            state = record.state()
            break
    other = new_model(CONFIG.model_copy(update={"seed": 9}))
    assert [r.metrics["loss"] for r in pretrain(other, stream, starts, CONFIG, state)] == whole[5:]


def test_the_whole_run_leaves_a_folder_plain_transformers_opens(tmp_path):
    data = tmp_path / "stories.jsonl"
    data.write_text("".join(json.dumps({"text": s}) + "\n" for s in STORIES))
    *_, last = run_pretraining(CONFIG, str(data), tmp_path / "run")
    result = last.result
    heldout = [story for story in STORIES if is_heldout(story)]
    assert result["stories_heldout"] == len(heldout) and result["stories_train"] == len(STORIES) - len(heldout)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "run" / "model")
    assert tokenizer.pad_token_id != tokenizer.eos_token_id and len(tokenizer) == model.config.vocab_size < 400
    assert bits_per_byte(model, tokenizer, heldout) == pytest.approx(result["bits_per_byte_heldout"], abs=0.01)
    recipe = json.loads((tmp_path / "run" / "model" / "recipe.json").read_text())
    assert PretrainConfig(**recipe["config"]) == CONFIG.model_copy(update={"vocab_size": len(tokenizer)})


def test_too_little_text_is_named(tmp_path):
    (tmp_path / "short.txt").write_text("Hello.")
    with pytest.raises(PlaygroundError, match="short.txt"):
        list(run_pretraining(CONFIG, str(tmp_path / "short.txt"), tmp_path / "run"))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_bits_per_byte_equals_the_sum_over_plain_forward_passes(family):
    model, tokenizer = tiny.FAMILIES[family](context=64), tiny.tokenizer()
    texts = ["Once upon a time there was a café.", "Hi", "A long story. " * 20]
    total = 0.0
    for text in texts[:2]:
        ids = [tokenizer.bos_token_id, *tokenizer(text)["input_ids"]]
        with torch.no_grad():
            loss = model(torch.tensor([ids]), labels=torch.tensor([ids])).loss.item()
        total += loss * (len(ids) - 1) / math.log(2)
    measured = bits_per_byte(model, tokenizer, texts[:2])
    assert measured == pytest.approx(total / sum(len(t.encode()) for t in texts[:2]), rel=1e-4)
    # Longer than the context: every token once, each behind at least half a context.
    ids = [tokenizer.bos_token_id, *tokenizer(texts[2])["input_ids"]]
    nats = 0.0
    for position in range(1, len(ids)):
        begin = 0 if position <= 64 else ((position - 65) // 32 + 1) * 32
        with torch.no_grad():
            logits = model(torch.tensor([ids[begin:position]])).logits[0, -1]
        nats -= logits.log_softmax(-1)[ids[position]].item()
    expected = nats / math.log(2) / len(texts[2].encode())
    assert bits_per_byte(model, tokenizer, texts[2:]) == pytest.approx(expected, rel=1e-4)
