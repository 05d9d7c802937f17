import pytest
import torch
from safetensors.torch import load_file

from core.runs import shelf
from core.runs.shelf import Shelf


def test_rollouts_come_back_even_as_views_of_one_tensor(tmp_path):
    logits = torch.arange(12.0).reshape(3, 4)
    Shelf(tmp_path).keep_rollout(
        7, {"a": logits[:, :2], "b": logits[:, 2:], "ended": torch.tensor([True, False, True])}
    )
    files = shelf.rollout_files(tmp_path)
    assert list(files) == [7]
    back = load_file(files[7])
    assert torch.equal(back["a"], logits[:, :2])
    assert torch.equal(back["b"], logits[:, 2:])
    assert back["ended"].tolist() == [True, False, True]


def test_the_oldest_make_room_and_are_counted(tmp_path):
    row = {"values": torch.zeros(250)}  # 1,000 bytes and a header
    keeper = Shelf(tmp_path, cap_bytes=5_000)
    for number in range(1, 9):
        keeper.keep_rollout(number, row)
        if number % 4 == 0:
            keeper.keep_weights(number, lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 1_000))
    kept = [*shelf.rollout_files(tmp_path), *shelf.weight_folders(tmp_path)]
    assert sum(shelf.size_of(tmp_path / kind) for kind in ("rollouts", "weights")) <= 5_000
    assert min(kept) == 6
    assert list(shelf.weight_folders(tmp_path)) == [8]
    assert shelf.removed(tmp_path) == 10 - len(kept) > 0


def test_a_resumed_run_counts_what_is_there_and_writes_it_again(tmp_path):
    Shelf(tmp_path, cap_bytes=2_500).keep_rollout(1, {"values": torch.zeros(250)})
    keeper = Shelf(tmp_path, cap_bytes=2_500)
    keeper.keep_rollout(2, {"values": torch.zeros(250)})
    keeper.keep_rollout(2, {"values": torch.ones(250)})
    assert list(shelf.rollout_files(tmp_path)) == [1, 2]
    keeper.keep_rollout(3, {"values": torch.ones(250)})
    assert list(shelf.rollout_files(tmp_path)) == [2, 3]
    assert shelf.removed(tmp_path) == 1


def test_half_written_weights_are_never_seen(tmp_path):
    def snapshot(folder):
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        Shelf(tmp_path).keep_weights(1, snapshot)
    assert shelf.weight_folders(tmp_path) == {}
    Shelf(tmp_path).keep_weights(1, lambda folder: (folder / "whole").write_text("x"))
    assert [file.name for file in shelf.weight_folders(tmp_path)[1].iterdir()] == ["whole"]
