"""What the environment asks for where a class shares one server."""

import importlib.util
import os
import tomllib
from pathlib import Path

from core.errors import PlaygroundError

HOSTED = "RLHF_PLAYGROUND_HOSTED"
PASSWORD = "RLHF_PLAYGROUND_PASSWORD"
PASSWORD_HASH = "RLHF_PLAYGROUND_PASSWORD_HASH"
PEOPLE = "RLHF_PLAYGROUND_PEOPLE"
MODELS = "RLHF_PLAYGROUND_MODELS"

SHORTEST, LONGEST = 8, 200  # characters of the class's password; hashing more is work for nothing
ALWAYS_ALLOWED = "storyteller"


def is_hosted() -> bool:
    """Whether `RLHF_PLAYGROUND_HOSTED` says so. Raises PlaygroundError when it says neither yes nor no."""
    said = os.environ.get(HOSTED, "").strip().lower()
    if said in ("", "0", "false", "no", "off"):
        return False
    if said in ("1", "true", "yes", "on"):
        return True
    raise PlaygroundError(f"{HOSTED} is 1 or 0 (given: {said!r}).")


def check_ready() -> None:
    """Raises PlaygroundError, one sentence, when the server is to be hosted and anybody could come in."""
    if not is_hosted():
        return
    from core.hosting.limits import check_limits

    check_limits()
    if signs_in_elsewhere():
        return
    password = os.environ.get(PASSWORD, "")
    if not password and not os.environ.get(PASSWORD_HASH):
        raise PlaygroundError(
            f"{HOSTED} is set, so a way to sign in is needed: set {PASSWORD_HASH} (`rlhf-playground password` makes "
            f"it) or {PASSWORD}, or an [auth] section in .streamlit/secrets.toml."
        )
    if password and len(password) < SHORTEST:
        raise PlaygroundError(f"{PASSWORD} is too short: {SHORTEST} characters or more.")
    if len(password) > LONGEST:
        raise PlaygroundError(f"{PASSWORD} is too long: {LONGEST} characters at most.")
    if not password:
        from core.hosting.sign_in import check_hash

        check_hash(os.environ[PASSWORD_HASH])


def signs_in_elsewhere() -> bool:
    """Whether people sign in with an OpenID Connect provider: an [auth] section in Streamlit's secrets, and Authlib."""
    places = [Path.home() / ".streamlit", Path.cwd() / ".streamlit", Path(__file__).parents[2] / ".streamlit"]
    for file in (place / "secrets.toml" for place in places):
        try:
            configured = "auth" in tomllib.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise PlaygroundError(f"{file} cannot be read as TOML: {error}") from None
        if configured:
            if importlib.util.find_spec("authlib") is None:
                raise PlaygroundError(f"{file} has an [auth] section: pip install 'rlhf-playground[auth]'")
            return True
    return False


def admits(address: str) -> bool:
    """Whether `RLHF_PLAYGROUND_PEOPLE` lists that address or its `@domain`; everybody where it lists nobody."""
    listed = [entry.lower() for entry in _listed(PEOPLE)]
    _, at, domain = address.lower().rpartition("@")
    return not listed or (bool(at) and (address.lower() in listed or f"@{domain}" in listed))


def allowed_models() -> tuple[str, ...]:
    """Ids that a person may open beside what their own runs made: `RLHF_PLAYGROUND_MODELS`, else the bundled ones."""
    return tuple(dict.fromkeys((ALWAYS_ALLOWED, *(_listed(MODELS) or ["smollm2-135m"]))))


def _listed(name: str) -> list[str]:
    return [entry for entry in os.environ.get(name, "").replace(",", " ").split() if entry]
