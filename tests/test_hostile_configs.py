"""Whatever a configuration, a path or a name is given as, what comes out is a configuration or one sentence."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from core.cli import main
from core.errors import PlaygroundError
from core.feedback.comparison import NewPair
from core.feedback.own_prompts import LONGEST, add_own_prompts, own_prompts_of
from core.feedback.prompts import load_prompts
from core.feedback.store import FeedbackStore
from core.feedback.votes import check_name
from core.language.registry import policy_info
from core.paths import RUN_ID, home, run_folder
from core.runs.jobs import JOBS, job_from
from core.runs.store import RunStore

IN_ONE_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

odd = st.sampled_from(
    [
        "",
        "..",
        "../../x",
        "/etc/passwd",
        "~nobody-of-that-name/x",
        "x" * 5000,
        "a\0b",
        "\ud800",
        "\x1b[31m",
        "=1",
        "é" * 200,
    ]
)
texts = odd | st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def one_sentence(told: object) -> None:
    assert 0 < len(str(told)) < 600, "an error that fills the page"


def fields_of(config: type[BaseModel]) -> list[str]:
    inner = [f.annotation for f in config.model_fields.values()]
    nested = [n for one in inner if isinstance(one, type) and issubclass(one, BaseModel) for n in one.model_fields]
    return sorted({*config.model_fields, *nested})


@pytest.mark.parametrize("kind", sorted(JOBS))
def test_any_json_is_a_job_or_one_sentence(kind, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names = st.sampled_from(fields_of(JOBS[kind])) | texts
    inner = st.dictionaries(names, values, max_size=3)
    model = st.sampled_from(["storyteller", "gpt2", "smollm2-135m"])

    @settings(max_examples=25)
    @given(st.dictionaries(names, values | inner, max_size=4), st.none() | model)
    @example({"reward": 3, "ppo": [1]}, "gpt2")
    def check(config, model):
        if model is not None and "model" in JOBS[kind].model_fields:
            config = config | {"model": model}
        try:
            job = job_from(kind, config)
        except PlaygroundError as error:
            one_sentence(error)
            return
        again = json.loads(json.dumps(job.model_dump(mode="json")))
        assert job_from(kind, again) == job  # what is stored makes the same job again

    check()


@IN_ONE_FOLDER
@given(texts)
@example("../../outside")
@example("a/../../../outside")
@example("a\\..\\outside")
@example("run\n")
@example(".hidden")
def test_no_name_of_a_run_leads_out_of_the_folder_of_runs(own_home, name):
    runs = (home() / "runs").resolve()
    try:
        folder = run_folder(name)
    except PlaygroundError:
        assert not RUN_ID.fullmatch(name)
    else:
        assert folder.resolve().parent == runs
    with pytest.raises(PlaygroundError):
        RunStore().get(name)


@given(texts)
@example("~nobody-of-that-name")
@example("x" * 300)
def test_what_can_be_no_model_or_prompt_set_is_one_sentence(name):
    for look in (policy_info, load_prompts):
        try:
            look(name)
        except PlaygroundError as error:
            one_sentence(error)


@IN_ONE_FOLDER
@given(texts, st.lists(texts | st.just("one  "), max_size=4))
def test_any_name_and_any_prompts_are_kept_whole_or_refused(own_home, name, given):
    before = own_prompts_of(name) if is_name(name) else []
    try:
        added = add_own_prompts(name, given)
    except PlaygroundError as error:
        one_sentence(error)
        if is_name(name):
            assert own_prompts_of(name) == before
        return
    kept = own_prompts_of(name)
    assert len(kept) == len(before) + added.added
    assert all(len(text) <= LONGEST and text.encode() and "\0" not in text for text in kept)


def is_name(name: str) -> bool:
    try:
        check_name(name)
    except PlaygroundError:
        return False
    return True


@IN_ONE_FOLDER
@given(name=texts, prompt=texts, a=texts, b=texts)
def test_any_text_a_policy_writes_can_be_voted_on_by_anybody_with_a_name(own_home, name, prompt, a, b):
    store = FeedbackStore()
    pool = ("storyteller", f"set {hash((name, prompt, a, b))}")
    store.add_pairs([NewPair(prompt, a, b, *pool)], "test")
    try:
        shown = store.next_pair(name, *pool)
        if shown is None:
            return
        vote = store.vote(shown, name, "left", response_seconds=1.0)
        store.prefer_own(shown, name, b + "!", [shown.left_response_id])
    except PlaygroundError as error:
        one_sentence(error)
        return
    assert vote.annotator == name
    assert store.undo(name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "--prompt", "\udcff"],
        ["preferences", "export", "--out", "x.jsonl", "--annotator", "\udcff"],
        ["models", "add", "~nobody-of-that-name/x"],
        ["models", "add", "x" * 300],
        ["runs", "show", "../../x"],
        ["runs", "branch", "../../x"],
        ["ppo", "train", "--reward-model", "x" * 5000],
        ["reward", "train", "--preferences", "x" * 5000],
        ["loop", "--prompts", "x" * 5000],
        ["loop", "--run-id", "../../x", "--pairs", "8"],
    ],
)
def test_the_command_line_says_it_in_one_line(arguments, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ") and told.count("\n") == 1 and len(told) < 600
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "home"])
