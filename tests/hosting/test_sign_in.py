"""Signing in: names, passwords, tokens, and the commands around them."""

import os
import re
import threading
import time

import pytest

from core import paths
from core.database.engine import engine, writing
from core.database.schema import people
from core.errors import PlaygroundError
from core.feedback.store import FeedbackStore
from core.hosting import sign_in


class TestSigningIn:
    PASSWORD = "a class of forty"

    def test_a_name_is_whose_word_it_is(self, hosted):
        token = sign_in.sign_in(self.PASSWORD, " Anna  B. ", "my own word", "1.2.3.4")
        assert sign_in.person_of(token) == "anna b."
        again = sign_in.sign_in(self.PASSWORD, "ANNA B.", "my own word", "5.6.7.8")
        assert sign_in.person_of(again) == "anna b."
        with pytest.raises(PlaygroundError, match="taken"):
            sign_in.sign_in(self.PASSWORD, "anna b.", "another word", "1.2.3.4")

    @pytest.mark.parametrize("name", ["", "a/b", "anna/me", "a@b.org", "x" * 41, "a\nb\0", "<b>", "%"])
    def test_names_that_could_be_taken_for_others(self, hosted, name):
        with pytest.raises(PlaygroundError, match="A name has"):
            sign_in.sign_in(self.PASSWORD, name, "my own word", "1.2.3.4")

    def test_wrong_passwords_are_slowed_from_one_address_and_not_from_another(self, hosted, monkeypatch):
        for _ in range(10):
            with pytest.raises(PlaygroundError, match="not the password"):
                sign_in.sign_in("wrong", "anna", "my own word", "1.2.3.4")
        with monkeypatch.context() as nothing_is_hashed:
            nothing_is_hashed.setattr(sign_in, "_scrypt", None)
            with pytest.raises(sign_in.TooManyTriesError, match=r"wait \d+ seconds"):
                sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        assert sign_in.sign_in(self.PASSWORD, "anna", "my own word", "5.6.7.8")

    def test_many_at_the_same_moment_are_looked_at_ten_times(self, hosted, monkeypatch):
        looked, said, together = [], [], threading.Barrier(24)
        matches = sign_in.matches
        monkeypatch.setattr(sign_in, "matches", lambda *of: looked.append(1) or matches(*of))

        def guess(number: int) -> None:
            together.wait()
            try:
                sign_in.sign_in(f"guess {number}", "anna", "my own word", "1.2.3.4")
            except PlaygroundError as refused:
                said.append(type(refused))

        threads = [threading.Thread(target=guess, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(looked) == 10 and said.count(sign_in.TooManyTriesError) == 14

    def test_wrong_words_are_slowed_for_the_name_wherever_they_come_from(self, hosted):
        sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        for place in range(5):
            with pytest.raises(PlaygroundError, match="taken"):
                sign_in.sign_in(self.PASSWORD, "anna", f"guess number {place}", f"1.2.3.{place}")
        with pytest.raises(sign_in.TooManyTriesError):
            sign_in.sign_in(self.PASSWORD, "anna", "my own word", "9.9.9.9")
        assert sign_in.sign_in(self.PASSWORD, "ben", "my own word", "1.2.3.4")

    def test_two_who_take_one_name_at_once_are_not_both_given_it(self, hosted):
        outcome, together = [], threading.Barrier(4)
        FeedbackStore()

        def take(word: str) -> None:
            together.wait()
            try:
                sign_in.sign_in(self.PASSWORD, "anna", word, word)
                outcome.append("in")
            except PlaygroundError:
                outcome.append("refused")

        threads = [threading.Thread(target=take, args=(f"word number {n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcome) == ["in", "refused", "refused", "refused"]

    def test_whoever_held_a_name_is_out_when_its_word_is_reset(self, hosted):
        token = sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        sign_in.sign_in(self.PASSWORD, "ben", "my own word", "1.2.3.4")
        with writing(engine()) as connection:
            connection.execute(people.delete().where(people.c.name == "anna"))
        assert sign_in.person_of(token) is None
        anew = sign_in.sign_in(self.PASSWORD, "anna", "another word", "1.2.3.4")
        assert (sign_in.person_of(token), sign_in.person_of(anew)) == (None, "anna")

    def test_a_token_ends_with_its_time_with_the_password_and_with_a_changed_letter(self, hosted, monkeypatch):
        token = sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        assert sign_in.person_of(token) == "anna"
        assert sign_in.person_of("") is None and sign_in.person_of("anna") is None
        assert sign_in.person_of("x" + token[1:]) is None and sign_in.person_of(token[:-2]) is None
        with monkeypatch.context() as later:
            later.setattr("itsdangerous.timed.time.time", lambda: time.monotonic() + 4e9)
            assert sign_in.person_of(token) is None
        assert sign_in.person_of(token) == "anna"
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD", "next year's class")
        assert sign_in.person_of(token) is None

    def test_neither_password_nor_word_is_kept_as_it_is(self, hosted):
        sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")
        kept = b"".join(file.read_bytes() for file in paths.home().rglob("*") if file.is_file())
        assert b"my own word" not in kept and b"a class of forty" not in kept
        assert (paths.home() / "signing.key").stat().st_mode & 0o077 == 0 or os.name == "nt"

    def test_a_hash_serves_as_well_as_the_password(self, hosted, monkeypatch, capfd):
        monkeypatch.delenv("RLHF_PLAYGROUND_PASSWORD")
        with pytest.raises(PlaygroundError, match="not the password"):  # none set: nobody comes in
            sign_in.sign_in("", "anna", "my own word", "1.2.3.4")
        monkeypatch.setenv("RLHF_PLAYGROUND_PASSWORD_HASH", sign_in.hashed(self.PASSWORD))
        assert sign_in.sign_in(self.PASSWORD, "anna", "my own word", "1.2.3.4")


def test_the_command_prints_a_hash_that_the_server_takes(monkeypatch):
    from click.testing import CliRunner

    from core.cli.main import root

    said = CliRunner().invoke(root, ["password"], input="a class of forty\na class of forty\n")
    [made] = re.findall(r"^RLHF_PLAYGROUND_PASSWORD_HASH=(\S+)$", said.stdout, re.MULTILINE)
    assert sign_in.matches("a class of forty", made) and not sign_in.matches("a class of four", made)


def test_serve_refuses_in_one_sentence(monkeypatch, tmp_path, capfd):
    from core.cli import main

    monkeypatch.setenv("RLHF_PLAYGROUND_HOSTED", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["serve"]) == 2
    said = capfd.readouterr().err
    assert said.startswith("error: RLHF_PLAYGROUND_HOSTED is set") and said.count("\n") == 1
