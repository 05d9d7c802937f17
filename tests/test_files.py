"""Files and folders that appear whole or not at all."""

import os
import tempfile

import pytest
from safetensors.torch import save_file

from core.files import whole_folder


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
