"""Files and folders that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

import pytest
from safetensors.torch import save_file

from core.files import remove_unfinished, whole_folder


@pytest.mark.skipif(os.name == "nt", reason="permissions are other things there")
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_every_file_of_a_published_folder_has_the_usual_permissions(tmp_path, mask, mode):
    """A file of safetensors, as any temporary one, is written for its owner alone."""
    foreign = tmp_path / "foreign"
    foreign.touch(mode=0o600)
    before = os.umask(mask)
    try:
        with whole_folder(tmp_path / "model") as temporary:
            save_file({}, temporary / "model.safetensors")
            (temporary / "deeper").mkdir()
            os.close(tempfile.mkstemp(dir=temporary / "deeper")[0])
            (temporary / "config.json").write_text("{}")
            (temporary / "link").symlink_to(foreign)
    finally:
        os.umask(before)
    files = [path for path in (tmp_path / "model").rglob("*") if path.is_file() and not path.is_symlink()]
    assert {path.stat().st_mode & 0o777 for path in files} == {mode}
    assert len(files) == 3
    assert foreign.stat().st_mode & 0o777 == 0o600


def whole(folder, word):
    with whole_folder(folder) as temporary:
        (temporary / "word.txt").write_text(word)


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    whole(tmp_path / "model", "old")
    rename = Path.rename

    def full(path, target):
        if path.name.startswith(".model-") and path.name != ".model-old":
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space"):
        whole(tmp_path / "model", "new")
    monkeypatch.undo()
    assert (tmp_path / "model" / "word.txt").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    whole(tmp_path / "model", "new")
    assert (tmp_path / "model" / "word.txt").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_was_being_replaced_when_its_process_was_killed_comes_back(tmp_path):
    whole(tmp_path / "model", "old")
    (tmp_path / "model").rename(tmp_path / ".model-old")  # killed here, the new one beside it
    (tmp_path / ".model-abcdefgh").mkdir()
    remove_unfinished(tmp_path)
    assert (tmp_path / "model" / "word.txt").read_text() == "old"
    (tmp_path / ".model-old").mkdir()  # killed when the new one was there already
    remove_unfinished(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
