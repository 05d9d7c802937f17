import hashlib
import io
import json
import os
import pickle

import pytest
import torch

from core.errors import PlaygroundError
from core.runs import checkpoints


def save_three(folder):
    for number in (1, 2, 3):
        checkpoints.save(
            folder, number, {"weights": torch.full((50,), float(number)), "nested": [{"number": number}, None]}
        )


def test_the_newest_comes_back_and_two_are_kept(tmp_path):
    assert checkpoints.load(tmp_path / "none yet") is None
    save_three(tmp_path)
    number, state = checkpoints.load(tmp_path)
    assert number == 3
    assert torch.equal(state["weights"], torch.full((50,), 3.0))
    assert state["nested"] == [{"number": 3}, None]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["00000002", "00000003"]


def flip_a_bit(checkpoint):
    data = bytearray((checkpoint / "state.pt").read_bytes())
    data[len(data) // 2] ^= 1
    (checkpoint / "state.pt").write_bytes(data)


DAMAGES = {
    "a flipped bit": flip_a_bit,
    "cut short": lambda checkpoint: (checkpoint / "state.pt").write_bytes((checkpoint / "state.pt").read_bytes()[:-1]),
    "no file": lambda checkpoint: (checkpoint / "state.pt").unlink(),
    "no marker": lambda checkpoint: (checkpoint / "complete").unlink(),
    "empty marker": lambda checkpoint: (checkpoint / "complete").write_text(""),
    "odd marker": lambda checkpoint: (checkpoint / "complete").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_broken_one_is_passed_over_and_not_counted_among_the_two(tmp_path, damage):
    save_three(tmp_path)
    DAMAGES[damage](tmp_path / "00000003")
    assert checkpoints.load(tmp_path)[0] == 2
    checkpoints.save(tmp_path, 4, {})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["00000002", "00000004"]


def test_a_state_that_could_not_be_read_back_is_refused_before_anything_is_written(tmp_path):
    save_three(tmp_path)
    with pytest.raises(TypeError, match=r"state\['optimizer'\]\[0\] is a set"):
        checkpoints.save(tmp_path, 4, {"optimizer": [{1, 2}]})
    assert checkpoints.load(tmp_path)[0] == 3


def plant(folder, content):
    """A checkpoint of foreign bytes, with a marker that is true of them."""
    checkpoints.save(folder, 1, {"number": 1})
    state = folder / "00000001" / "state.pt"
    state.write_bytes(content)
    marker = {"bytes": state.stat().st_size, "sha256": hashlib.sha256(state.read_bytes()).hexdigest()}
    (folder / "00000001" / "complete").write_text(json.dumps(marker))


def test_a_pickle_with_a_valid_marker_is_not_run(tmp_path):
    plant(tmp_path, pickle.dumps(os.getcwd))
    with pytest.raises(PlaygroundError, match="without running code, so this program did not write it"):
        checkpoints.load(tmp_path)


def test_what_is_no_state_is_told(tmp_path):
    content = io.BytesIO()
    torch.save(torch.zeros(3), content)
    plant(tmp_path, content.getvalue())
    with pytest.raises(PlaygroundError, match="holds a Tensor and no run's state"):
        checkpoints.load(tmp_path)
