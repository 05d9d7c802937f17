"""When a server may begin, and who acts in it."""

import threading

import pytest

from core.errors import PlaygroundError
from core.hosting import sign_in
from core.hosting.mode import admits, check_ready
from core.hosting.people import NotSignedInError, acting_as, ask_with, bound, person
from core.language.registry import list_policies
from core.runs.store import RunStore
from tests.hosting.hosting_helpers import vote


class TestBeginning:
    def test_nothing_is_asked_for_unless_it_is_hosted(self, monkeypatch):
        monkeypatch.delenv("RLHF_PLAYGROUND_HOSTED", raising=False)
        check_ready()
        assert person() is None

    def test_it_does_not_begin_when_anybody_could_come_in(self, monkeypatch, tmp_path):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(PlaygroundError, match="a way to sign in is needed"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "short")
        with pytest.raises(PlaygroundError, match="8 characters"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "long enough")
        check_ready()
        monkeypatch.delenv("RLHF_PLAYGROUND_PASSWORD")
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", "long enough")
        with pytest.raises(PlaygroundError, match="is not a hash"):
            check_ready()
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", sign_in.hashed("long enough"))
        check_ready()

    def test_a_provider_is_a_way_in_where_authlib_is_installed(self, monkeypatch, tmp_path):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        (tmp_path / ".streamlit").mkdir()
        (tmp_path / ".streamlit" / "secrets.toml").write_text("[auth]\nclient_id = 'x'\n")
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(PlaygroundError, match=r"rlhf-playground\[auth\]"):
            check_ready()
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        check_ready()

    @pytest.mark.parametrize("said", ["maybe", "2"])
    def test_a_switch_that_says_neither_is_refused(self, monkeypatch, said):
        monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", said)
        with pytest.raises(PlaygroundError, match="1 or 0"):
            check_ready()

    def test_a_provider_may_know_more_people_than_the_class_has(self, monkeypatch):
        assert admits("anybody@example.org")
        monkeypatch.setenv("RLHF_PLAYGROUND_PEOPLE", "@school.example, guest@example.org")
        assert admits("Anna@School.Example") and admits("guest@example.org")
        assert not admits("anna@notschool.example") and not admits("other@example.org")
        assert not admits("anna@sub.school.example") and not admits("school.example")


class TestWhoActs:
    def test_what_forgot_to_ask_is_refused(self, hosted, store):
        for act in (store.votes, store.annotators, RunStore().list, store.datasets, list_policies):
            with pytest.raises(NotSignedInError):
                act()

    def test_a_process_of_the_machine_is_nobodys_guest(self, hosted, store):
        ask_with(None)
        assert person() is None
        vote(store, "me")
        assert store.annotators() == ["me"]

    def test_what_is_done_later_is_done_for_who_asked(self, hosted):
        with acting_as("anna"):
            later = bound(person)
        found = []
        thread = threading.Thread(target=lambda: found.append(later()))
        thread.start()
        thread.join()
        assert found == ["anna"]
        with pytest.raises(NotSignedInError):
            person()
