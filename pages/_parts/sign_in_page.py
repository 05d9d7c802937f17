"""The page in front of a hosted server: plain HTML, since nothing of the app answers before somebody has signed in."""

from html import escape

from pages._parts.theme import MARK

_STYLE = """
:root { color-scheme: light dark; --ground: #FBFBFD; --card: #FFFFFF; --text: #1B2130; --soft: #5F6B7A; --line: #D9DCE6;
  --own: #5B4BD6; --on: #FFFFFF; --wrong: #B3261E; }
@media (prefers-color-scheme: dark) { :root { --ground: #10131A; --card: #1A1F2A; --text: #E8EAF0; --soft: #9AA7B8;
  --line: #323948; --own: #A79BFF; --on: #10131A; --wrong: #FF9A8F; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 1.75rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.75rem; }
h1 { display: flex; align-items: center; gap: 0.6rem; margin: 0 0 0.5rem; font-size: 1.35rem; font-weight: 650; }
p { margin: 0 0 1rem; color: var(--soft); }
label { display: block; margin: 0 0 0.25rem; font-weight: 600; }
small { display: block; margin: 0.25rem 0 1rem; font-size: 0.875rem; color: var(--soft); }
input { width: 100%; padding: 0.55rem 0.7rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 0.5rem; }
input.last { margin-bottom: 1rem; }
button { width: 100%; padding: 0.6rem; font: inherit; font-weight: 600; color: var(--on); background: var(--own);
  border: 0; border-radius: 0.5rem; cursor: pointer; }
:focus-visible { outline: 2px solid var(--own); outline-offset: 2px; }
.wrong { color: var(--wrong); font-weight: 600; }
"""


def sign_in_page(action: str, wanted: str, name: str = "", wrong: str = "") -> str:
    """The form; `wanted` is where to go afterwards, `wrong` what was wrong the last time."""
    said = f'<p class="wrong" role="alert">{escape(wrong)}</p>' if wrong else ""
    return _page(
        "Sign in",
        f"""<p>This server is a class's. Its password lets you in; your name keeps your votes and runs yours.</p>{said}
<form method="post" action="{escape(action)}">
<input type="hidden" name="next" value="{escape(wanted)}">
<label for="password">Password of the class</label>
<input class="last" id="password" name="password" type="password" maxlength="200" autocomplete="off" required autofocus>
<label for="name">Your name</label>
<input id="name" name="name" value="{escape(name[:40])}" maxlength="40" autocomplete="username" required>
<small>Others of the class do not see what you do under it.</small>
<label for="word">Your own word</label>
<input id="word" name="word" type="password" minlength="6" maxlength="200" autocomplete="current-password" required>
<small>The first time you choose it; from then on it opens your name. Take none that you use elsewhere.</small>
<button>Sign in</button></form>""",
    )


def sign_out_page(person: str, action: str) -> str:
    """Asks once, since a link alone must not sign anybody out."""
    who = f"You are signed in as {escape(person)}." if person else "You are not signed in."
    return _page(
        "Sign out", f'<p>{who}</p><form method="post" action="{escape(action)}"><button>Sign out</button></form>'
    )


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · RLHF Playground</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{MARK} RLHF Playground</h1>{body}</main></body></html>"
    )
