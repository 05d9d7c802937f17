"""Each finding is provoked by curves that deserve it; a real healthy run comes out healthy."""

import math
import random

import pytest

from core.alignment.ppo_reading.diagnosis import diagnose, is_healthy
from core.gallery import load_entry

COUNT = 20


def curves(**changed):
    """A run in which everything is as it should be, and what `changed` says instead (`/` is written `__`)."""
    when = [n / COUNT for n in range(COUNT)]
    good = {
        "objective/scores": [2 * t for t in when],
        "objective/gold": [1 + 3 * t for t in when],
        "objective/kl_exact": [7 * t for t in when],
        "policy/entropy_avg": [3 - 0.3 * t for t in when],
        "policy/clipfrac_avg": [0.05] * COUNT,
        "loss/value_avg": [1 / (1 + t) for t in when],
        "val/explained_variance": [0.4 * t for t in when],
        "val/num_eos_tokens": [20 + 10 * t for t in when],
        "response_length": [30 - t for t in when],
    }
    return good | {name.replace("__", "/"): values for name, values in changed.items()}


def found(changed, name):
    (finding,) = [one for one in diagnose(curves(**changed), 64) if one.name == name]
    return finding


def test_a_sound_run_is_healthy_in_every_respect():
    findings = diagnose(curves(), 64)
    assert {one.severity for one in findings} == {"healthy"}
    assert len(findings) == 8
    assert is_healthy(findings)


LINE = list(range(COUNT))
CASES = [
    ("kl", {"objective__kl_exact": [2.0 * n for n in LINE]}, "trouble", "running away", "35.0 nats"),
    ("kl", {"objective__kl_exact": [0.06 * n * n for n in LINE]}, "trouble", "running away", "in the second"),
    ("kl", {"objective__kl_exact": [15 * math.sqrt(n / 19) for n in LINE]}, "watch", "Far", "14.4 nats"),
    ("entropy", {"policy__entropy_avg": [3 / (1 + n / 4) for n in LINE]}, "trouble", "collapsed", "entropy is left"),
    ("clip", {"policy__clipfrac_avg": [0.5] * COUNT}, "trouble", "Too many", "50.0%"),
    ("clip", {"policy__clipfrac_avg": [0.0] * COUNT}, "note", "never acts", "0.00%"),
    (
        "critic",
        {"val__explained_variance": [0.0] * COUNT, "loss__value_avg": [1.0] * COUNT},
        "trouble",
        "dead",
        "from 1.000 to 1.000",
    ),
    (
        "critic",
        {"val__explained_variance": [0.0] * 14, "loss__value_avg": [1.0] * 14},
        "note",
        "has not learnt yet",
        "in 14 updates",
    ),
    (
        "critic",  # a hair above nothing, while its loss rises, is not alive
        {"val__explained_variance": [0.004] * 14, "loss__value_avg": [1 + n / 100 for n in range(14)]},
        "note",
        "has not learnt yet",
        "+0%",
    ),
    (
        # a critic at 0.75 of returns whose mean went from 0 to 1 and whose variance is 0.25: its squared error is
        # 0.25 + 0.25², a quarter of a variance more than the mean's
        "critic",
        {
            "val__explained_variance": [-0.25] * COUNT,
            "loss__value_avg": [0.1] * 10 + [(0.25 + 0.25**2) / 2] * 10,
            "objective__rlhf_reward": [0.0] * 10 + [1.0] * 10,
        },
        "note",
        "lags",
        "followed 75% of the returns' rise",
    ),
    (
        "critic",  # stayed at 0: its squared error is 0.25 + 1²
        {
            "val__explained_variance": [-4.0] * COUNT,
            "loss__value_avg": [0.1] * 10 + [(0.25 + 1) / 2] * 10,
            "objective__rlhf_reward": [0.0] * 10 + [1.0] * 10,
        },
        "trouble",
        "dead",
        "-400%",
    ),
    ("critic", {"val__explained_variance": [-2.0] * COUNT}, "watch", "noise", "-200%"),
    ("critic", {"val__explained_variance": [-0.1] * COUNT}, "note", "lags", "-10%"),
    ("length", {"response_length": [20 + n for n in LINE], "objective__gold": []}, "watch", "drifts", "+74%"),
    ("length", {"response_length": [20 + n for n in LINE]}, "note", "drifts", "truly wanted rose"),
    ("hacking", {"objective__gold": [-((n - 6) ** 2) / 10 for n in LINE]}, "trouble", "hacked", "around update 7"),
    ("hacking", {"objective__gold": [2.0 - n / 10 for n in LINE]}, "trouble", "hacked", "around update 1"),
    ("hacking", {"objective__gold": []}, "unknown", "cannot be seen", "No gold was measured"),
    ("ended", {"val__num_eos_tokens": [60.0 - 3 * n for n in LINE]}, "watch", "stopped ending", "in the first"),
    ("ended", {"val__num_eos_tokens": [1.0] * COUNT}, "note", "cut off", "2% of the responses"),
    ("score", {"objective__scores": [-0.1 * n for n in LINE]}, "trouble", "falls", "Fell from"),
    ("score", {"objective__scores": [(-1.0) ** n for n in LINE]}, "watch", "Nothing", "chance"),
]


@pytest.mark.parametrize(("name", "changed", "severity", "title", "reason"), CASES)
def test_what_is_wrong_is_named_with_its_numbers(name, changed, severity, title, reason):
    finding = found(changed, name)
    assert finding.severity == severity
    assert title in finding.title
    assert reason in finding.reason
    assert (finding.remedy != "") == (severity in ("trouble", "watch", "unknown")) or severity == "note"
    assert is_healthy(diagnose(curves(**changed), 64)) == (severity in ("note", "unknown"))


def test_the_worst_comes_first_and_the_rest_in_order():
    changed = {
        "policy__clipfrac_avg": [0.5] * COUNT,
        "response_length": [20 + n for n in LINE],
        "objective__gold": [],
        "val__num_eos_tokens": [1.0] * COUNT,
    }
    severities = [one.severity for one in diagnose(curves(**changed), 64)]
    assert severities[:4] == ["trouble", "watch", "unknown", "note"]
    assert set(severities[4:]) == {"healthy"}


def test_noise_alone_is_no_hacking():
    noise = random.Random(0)
    for _ in range(50):
        gold = [1 + 3 * n / COUNT + noise.gauss(0, 0.3) for n in LINE]
        assert found({"objective__gold": gold}, "hacking").severity == "healthy"


def test_nothing_is_said_before_there_is_a_run():
    assert diagnose({}) == []
    assert diagnose({name: values[:2] for name, values in curves().items()}, 64) == []


def test_the_gallerys_real_run_is_healthy():
    entry = load_entry("loop")
    rows = entry["curves"]["ppo"]
    real = {name: [row[name] for row in rows] for name in rows[0] if name != "step"}
    findings = diagnose(real, entry["config"]["ppo"]["rollout_batch"])
    assert is_healthy(findings), [one for one in findings if one.severity in ("trouble", "watch")]
    assert {one.name for one in findings} == {"score", "kl", "hacking", "entropy", "clip", "critic", "length", "ended"}
    # and the same run with its gold curve turned round is not
    real["objective/gold"] = real["objective/gold"][::-1]
    assert not is_healthy(diagnose(real, 64))
