"""Why a run failed, in words; and that nothing but the run fails."""

import os
import resource
import shutil
import signal

import pytest
import torch
from safetensors.torch import save_file
from walk_job import WalkJob

from core.runs import checkpoints, recorder
from core.runs.failures import in_words

WORDS = {
    "person": "The reward model lives in another vocabulary: train it on this policy.",
    "memory": "The machine ran out of memory",
    "torch memory": "The machine ran out of memory",
    "nan": "(the loss is nan at update 3): start again with a lower learning rate",
    "disk": "is full: free some space, then resume the run.",
    "defect": "KeyError: 'logprobs'",
    "panic": "The tokenizer gave up on a text (Onig: retry-limit-in-match over): leave that prompt out",
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_failure_is_one_sentence_and_the_log_has_the_rest(store, kind):
    run = store.create(WalkJob(steps=8, fail_at=4, fail_with=kind), queued=False)
    failed = recorder.execute(run.id)
    assert failed.status == "failed"
    assert WORDS[kind] in failed.error
    assert "\n" not in failed.error
    assert len(store.steps(run.id)) == 5 + 3
    assert "Traceback" in failed.log.read_text()
    assert failed.ended


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's full device")
def test_a_full_disk_is_recognised_however_it_is_wrapped(tmp_path):
    def write_torch():
        with open("/dev/full", "wb") as file:
            torch.save({"weights": torch.zeros(1_000_000)}, file)

    def write_text():
        with open("/dev/full", "w") as file:
            file.write("x" * 100_000)

    def write_torch_by_name():
        torch.save({"weights": torch.zeros(1_000_000)}, "/dev/full")

    for write in (write_torch, write_torch_by_name, write_text):
        with pytest.raises(Exception) as caught:
            write()
        assert "is full" in in_words(caught.value, tmp_path)
    with pytest.raises(Exception) as caught:
        save_file({"weights": torch.zeros(10)}, tmp_path / "missing" / "file")
    assert "is full" not in in_words(caught.value, tmp_path)


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="this system limits no file's size")
def test_a_file_larger_than_the_system_takes_is_no_full_disk(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def write_torch():
        with (tmp_path / "state.pt").open("wb") as file:
            torch.save({"weights": torch.zeros(1_000_000)}, file)

    def write_safetensors():
        save_file({"weights": torch.zeros(1_000_000)}, tmp_path / "model.safetensors")

    for write in (write_torch, write_safetensors):
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, before[1]))
        try:
            with pytest.raises(Exception) as caught:
                write()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert in_words(caught.value, tmp_path).startswith("The system takes no file as large as this run's")


def test_a_folder_removed_under_a_run_is_told(store):
    run = store.create(WalkJob(steps=8), queued=False)

    def remove(record):
        if record.stage == "walk" and record.step == 3:
            shutil.rmtree(run.folder)

    failed = recorder.execute(run.id, on_record=remove, checkpoint_seconds=1000.0)
    assert failed.status == "failed"
    assert failed.error.startswith(f"The run's folder {run.folder} was removed while it was at work")
    assert recorder.execute(run.id).status == "finished"


def test_a_checkpoint_of_another_kind_of_run_is_told_and_can_be_removed(store):
    run = store.create(WalkJob(steps=8), queued=False)
    checkpoints.save(run.folder / "checkpoints", 5, {"model": torch.zeros(2)})
    failed = recorder.execute(run.id)
    place = run.folder / "checkpoints" / "00000005"
    assert failed.error.startswith(f"The checkpoint {place} is not one that a walk run wrote (it has no 'stage')")
    shutil.rmtree(place)
    assert recorder.execute(run.id).status == "finished"


def test_a_failed_run_resumes(store):
    run = store.create(WalkJob(steps=8, fail_at=4, fail_with="disk"), queued=False)
    assert recorder.execute(run.id).status == "failed"
    store.request(run.id, "resume")
    again = store.get(run.id)
    assert (again.status, again.error, again.ended) == ("queued", None, None)
