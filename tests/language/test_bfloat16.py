"""What one process finds of its processor holds for the others, and a busy moment decides nothing."""

import pytest
import torch

from core.language import bfloat16
from core.paths import home


@pytest.fixture
def measured(monkeypatch, own_home):
    """Product times as they are handed out, and how often somebody measured; nothing is remembered from before."""
    monkeypatch.delenv("RLHF_PLAYGROUND_PRECISION", raising=False)
    bfloat16._found_to_pay.cache_clear()
    times = {torch.float32: [1.0], torch.bfloat16: [0.4]}
    asked = []

    def seconds(dtype):
        asked.append(dtype)
        row = times[dtype]
        return row[(asked.count(dtype) - 1) % len(row)]

    monkeypatch.setattr(bfloat16, "_product_seconds", seconds)
    monkeypatch.setattr(bfloat16, "_processor", lambda: "model: 7 flags: avx512_bf16")
    yield times, asked
    bfloat16._found_to_pay.cache_clear()


def another_process():
    bfloat16._found_to_pay.cache_clear()


def test_what_one_process_found_holds_for_all_on_this_processor(measured, monkeypatch):
    times, asked = measured
    assert bfloat16.bf16_pays()
    times[torch.bfloat16], count = [9.0], len(asked)  # a busy moment
    another_process()
    assert bfloat16.bf16_pays() and len(asked) == count
    another_process()
    monkeypatch.setattr(bfloat16, "_processor", lambda: "model: 6 flags: avx2")  # the same folder, another machine
    times[torch.bfloat16] = [100.0]
    assert not bfloat16.bf16_pays() and len(asked) > count
    count = len(asked)
    another_process()
    assert not bfloat16.bf16_pays() and len(asked) == count


def test_a_busy_moment_does_not_decide_and_is_not_kept(measured):
    times, _ = measured
    times[torch.bfloat16] = [3.0] * 30 + [0.4]  # disturbed thirty times, then once not
    assert bfloat16.bf16_pays()
    another_process()
    (home() / "bfloat16.json").unlink()
    times[torch.bfloat16] = [3.0]
    assert not bfloat16.bf16_pays()
    assert not (home() / "bfloat16.json").exists()  # a processor that has the instructions: it is asked again


def test_a_data_folder_that_cannot_be_written_or_read_is_no_hindrance(measured):
    (home() / "bfloat16.json").mkdir()
    assert bfloat16.bf16_pays()
