"""What is set in the environment: taken as it is meant, or refused by its name."""

import pytest

from core import environment, paths
from core.errors import PlaygroundError
from core.language.bfloat16 import bf16_pays
from core.processes import launched
from core.runs.shelf import Shelf


def test_what_is_not_set_is_what_it_would_be_otherwise(monkeypatch):
    monkeypatch.setenv("SET_TO_NOTHING", "")
    for name in ("NOT_SET_AT_ALL", "SET_TO_NOTHING"):
        assert environment.whole_number(name, 3) == 3
        assert environment.number_above_zero(name, 0.5, "minutes") == 0.5
        assert environment.number_from_zero(name, 0) == 0
        assert environment.one_of(name, ("first", "second")) == "first"


@pytest.mark.parametrize(
    ("name", "given", "asked"),
    [
        ("RLHF_PLAYGROUND_RUN_MB", "abc", lambda folder: Shelf(folder)),
        ("RLHF_PLAYGROUND_RUN_MB", "-1", lambda folder: Shelf(folder)),
        ("RLHF_PLAYGROUND_PRECISION", "bf16", lambda _: bf16_pays()),
        ("WORLD_SIZE", "two", lambda _: launched()),
        ("WORLD_SIZE", "٣", lambda _: launched()),
        ("RLHF_PLAYGROUND_HOME", "~nobody-of-that-name/x", lambda _: paths.home()),
        ("GPUS", "nan", lambda _: environment.number_from_zero("GPUS", 0)),
        ("GPUS", "inf", lambda _: environment.number_from_zero("GPUS", 0)),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(monkeypatch, tmp_path, name, given, asked):
    monkeypatch.setenv(name, given)
    with pytest.raises(PlaygroundError, match=name):
        asked(tmp_path)
