"""Signing in with the class's password: who shows it takes a name, and the word that makes the name theirs.

Passwords and words are kept as scrypt hashes and compared in constant time. Whoever has shown both gets a signed token,
which is good for half a day, until they sign out, and for as long as the class's password stays the same.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeTimedSerializer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from core import paths
from core.database.engine import engine, insert_new, reading, writing
from core.database.schema import people
from core.errors import PlaygroundError
from core.hosting.mode import LONGEST, PASSWORD, PASSWORD_HASH

HOURS = 12
SHORTEST_WORD = 6  # characters of a person's own word
_NAME = re.compile(r"[\w][\w .'-]{0,39}")
_COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and about 50 ms a guess

_WRONG_PASSWORDS = RateLimitItemPerMinute(10)  # from one address: a class may share one
_WRONG_WORDS = RateLimitItemPerMinute(5)  # for one name, from anywhere
_tries = MovingWindowRateLimiter(MemoryStorage())
_ended: dict[str, float] = {}  # tokens of who has signed out, and when they would have ended by themselves
_TURNS = tuple(threading.Lock() for _ in range(64))  # whoever falls to the same one waits for the other, no longer


class TooManyTriesError(PlaygroundError):
    """Wrong too often: nothing is looked at until a while has passed."""


def sign_in(password: str, name: str, word: str, address: str) -> str:
    """A token for `name`. The first who takes a name makes `word` its word; later the word must be the same.

    `address`: where the request comes from; ten wrong passwords a minute from there, or five wrong words for one name,
    and nothing more is looked at for the rest of the minute. Raises PlaygroundError, saying what is wrong.
    """
    name = tidy(name)
    with _counting_wrong(_WRONG_PASSWORDS, f"address {address}"):
        if len(password) > LONGEST or not _is_password(password):
            raise _WrongError("That is not the password of this class.")
    if not _NAME.fullmatch(name):
        raise PlaygroundError("A name has 1 to 40 letters, digits, spaces, dots, dashes or apostrophes.")
    if not SHORTEST_WORD <= len(word) <= LONGEST:
        raise PlaygroundError(f"Your own word has {SHORTEST_WORD} to {LONGEST} characters.")
    with _counting_wrong(_WRONG_WORDS, f"name {name}"):
        if not _takes(name, word):
            raise _WrongError("That name is taken, and its word is another one. Choose another name, or try again.")
    return _signer().dumps([name, _taken_at(name)])


def person_of(token: str) -> str | None:
    """Whose token it is; None for one that is none, is too old or signed out, or was given for another password or
    another word."""
    if token in _ended:
        return None
    try:
        name, taken_at = _signer().loads(token, max_age=HOURS * 3600)
    except (BadSignature, TypeError, ValueError):
        return None
    return name if isinstance(name, str) and taken_at is not None and _taken_at(name) == taken_at else None


def sign_out(token: str) -> None:
    """From now on the token is nobody's. Other pages of the same browser show it still, and whoever sits there next
    must not act as who has left."""
    now = time.time()
    for other, until in list(_ended.items()):
        if until < now:
            _ended.pop(other, None)
    if person_of(token) is not None:
        _ended[token] = now + HOURS * 3600


def tidy(name: str) -> str:
    """One spelling of a name: case, width and spaces make no other person; other alphabets' letters do."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def hashed(secret: str) -> str:
    """What is kept instead of `secret`: `scrypt:SALT:HASH`, another one each time."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{_text(salt)}:{_text(_scrypt(secret, salt))}"


def matches(secret: str, kept: str) -> bool:
    """Whether `kept` is a hash of `secret`; takes as long whatever the answer."""
    salt, digest = check_hash(kept)
    return hmac.compare_digest(_scrypt(secret, salt), digest)


def check_hash(kept: str) -> tuple[bytes, bytes]:
    """Salt and hash. Raises PlaygroundError when `kept` is no hash of ours."""
    kind, *parts = kept.split(":")
    try:
        salt, digest = (base64.urlsafe_b64decode(part) for part in parts)
    except ValueError:
        salt, digest = b"", b""
    if kind != "scrypt" or len(digest) != 64 or not salt:
        raise PlaygroundError(f"{PASSWORD_HASH} is not a hash that `rlhf-playground password` made.")
    return salt, digest


def _is_password(given: str) -> bool:
    kept, plain = os.environ.get(PASSWORD_HASH), os.environ.get(PASSWORD)
    return bool(kept or plain) and matches(given, kept or _hash_of(plain or ""))


@cache
def _hash_of(password: str) -> str:
    return hashed(password)


def _takes(name: str, word: str) -> bool:
    """Whether `word` opens `name`; makes it the name's word when nobody has taken the name."""
    known = sa.select(people.c.word).where(people.c.name == name)
    with reading(engine()) as connection:
        kept = connection.scalar(known)
    if kept is None:
        row = {"name": name, "word": hashed(word), "created": time.time()}  # before the lock: hashing takes its time
        with writing(engine()) as connection:
            taken = insert_new(engine(), people).values(row).returning(people.c.name)
            if connection.scalar(taken) is not None:
                return True
            kept = connection.execute(known).scalar_one()  # another was first
    return matches(word, kept)


def _taken_at(name: str) -> float | None:
    """When the name was taken; a word is reset by deleting its row, and whoever takes the name then is another."""
    with reading(engine()) as connection:
        return connection.scalar(sa.select(people.c.created).where(people.c.name == name))


class _WrongError(PlaygroundError):
    """A wrong password or word."""


@contextlib.contextmanager
def _counting_wrong(limit: RateLimitItemPerMinute, who: str) -> Iterator[None]:
    """One look at what `who` has typed, unless they were wrong too often; a wrong one counts.

    One at a time: looking takes long enough for many to come in before the first wrong one is counted.
    """
    with _TURNS[hash(who) % len(_TURNS)]:
        if not _tries.test(limit, who):
            left = max(1, round(_tries.get_window_stats(limit, who).reset_time - time.time()))
            raise TooManyTriesError(f"Too many wrong tries: wait {left} seconds.")
        try:
            yield
        except _WrongError:
            _tries.hit(limit, who)
            raise


def _signer() -> URLSafeTimedSerializer:
    password = os.environ.get(PASSWORD_HASH) or os.environ.get(PASSWORD, "")
    return URLSafeTimedSerializer(_key(str(paths.home())), salt=hashlib.sha256(password.encode()).hexdigest())


@cache
def _key(home: str) -> bytes:
    """A secret of this data folder, made once, readable for its owner alone."""
    file = paths.home() / "signing.key"
    if not file.exists():
        new = file.with_suffix(f".{secrets.token_hex(4)}")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):  # another server was first: its key is everybody's
            os.link(new, file)
        new.unlink()
    return file.read_bytes()


def _scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, dklen=64, **_COST)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
