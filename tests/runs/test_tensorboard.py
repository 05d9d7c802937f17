"""Event files read back by the format's own rules: TFRecord frames, CRC-32C by its definition, TensorBoard's protos."""

import json
import struct

import pytest
from walk_job import WalkJob

from core.errors import PlaygroundError
from core.runs import recorder
from core.runs.tensorboard import event_file_name, export_event_file


def crc32c(data: bytes) -> int:
    """Castagnoli's polynomial, reflected, bit by bit (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def events_of(path):
    from tensorboardX.proto.event_pb2 import Event

    data, place = path.read_bytes(), 0
    while place < len(data):
        header = data[place : place + 8]
        (length,) = struct.unpack("<Q", header)
        assert struct.unpack("<I", data[place + 8 : place + 12]) == (masked(header),)
        record = data[place + 12 : place + 12 + length]
        assert struct.unpack("<I", data[place + 12 + length : place + 16 + length]) == (masked(record),)
        place += 16 + length
        yield Event.FromString(record)


@pytest.fixture
def run(store):
    made = store.create(WalkJob(warm=2, steps=3), queued=False, run_id="walk-1")
    return recorder.execute(made.id)


def test_the_crc_is_the_published_one():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720's own example


def test_every_metric_of_every_step_reads_back(store, run, tmp_path):
    steps = store.steps(run.id)
    path = export_event_file(run, steps, tmp_path / "tb")
    first, config, *scalars = events_of(path)
    assert first.file_version == "brain.Event:2"
    (value,) = config.summary.value
    assert value.tag == "config/text_summary" and value.metadata.plugin_data.plugin_name == "text"
    assert json.loads(value.tensor.string_val[0]) == {"kind": "walk", "name": run.name, **run.config}
    read = [(e.step, e.wall_time, e.summary.value[0].tag, e.summary.value[0].simple_value) for e in scalars]
    written = [(s.number, s.time, name, pytest.approx(x, rel=1e-6)) for s in steps for name, x in s.metrics.items()]
    assert read == written
    assert len(read) == 5 * 3


def test_a_metric_that_is_no_number_has_no_point(store, run, tmp_path):
    (first, *_) = store.steps(run.id)
    first.metrics.update({"at": None, "velocity": float("nan")})
    path = export_event_file(run, [first], tmp_path)
    assert [e.summary.value[0].tag for e in list(events_of(path))[2:]] == ["learning_rate"]


def test_an_export_replaces_its_own_and_nothing_else(store, run, tmp_path):
    folder = tmp_path / "tb"
    path = export_event_file(run, store.steps(run.id)[:2], folder)
    short = path.stat().st_size
    assert export_event_file(run, store.steps(run.id), folder) == path
    assert path.stat().st_size > short
    assert [entry.name for entry in folder.iterdir()] == [event_file_name(run)]
    other = recorder.execute(store.create(WalkJob(), queued=False).id)
    with pytest.raises(PlaygroundError, match="another run"):
        export_event_file(other, store.steps(other.id), folder)
    with pytest.raises(PlaygroundError, match="names a folder"):
        export_event_file(run, store.steps(run.id), path)


def test_a_run_without_steps_has_nothing_to_export(store, tmp_path):
    made = store.create(WalkJob(), run_id="walk-2")
    with pytest.raises(PlaygroundError, match="walk-2 has no steps yet: there is nothing to export"):
        export_event_file(made, store.steps(made.id), tmp_path / "tb")
    assert not (tmp_path / "tb").exists()
