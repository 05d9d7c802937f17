"""How the house is built, read off its own imports: the rooms, the arrows between them, and which way they may go.

`python -m core.architecture` prints docs/architecture.md.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.syntax import parsed

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "app": "the launcher: serves the pages, starts queued runs",
    "pages": "what a person sees; no maths, no SQL",
    "cli": "the command line, its options made from the configs",
    "gallery": "cached real results that pages open on, and what computes them",
    "runs": "a run is a process: start, watch, pause, resume, stop",
    "anatomy": "looking inside a model: attention, embeddings, block, recurrence",
    "alignment": "reward model, PPO, DPO, RLOO, GRPO, best of n: losses as functions, trainers as generators",
    "feedback": "prompts, annotators, votes, import and export",
    "language": "policies: how they load, write and are pre-trained",
    "figures": "data in, figure out",
    "hosting": "a class on one server: who may come in, and what each may do",
    "database": "one database for votes and runs",
}
NEVER = (
    # (from, to, why): "*" is every other room, but for GROUND
    ("core", "pages", "core is true without a browser"),
    ("core", "streamlit", "core knows no screen"),
    ("figures", "*", "a figure is made of data alone"),
    ("database", "*", "the database knows tables, not what is done with them"),
    ("language", "*", "a policy knows nothing of votes and training runs"),
    ("feedback", "alignment", "votes are there before anything learns from them"),
    ("feedback", "runs", "votes are there before anything learns from them"),
    ("alignment", "anatomy", "training needs no look inside"),
    ("alignment", "runs", "a trainer knows nothing of processes"),
    ("alignment", "gallery", "what is computed knows nothing of what is kept of it"),
    ("runs", "gallery", "what is computed knows nothing of what is kept of it"),
    ("anatomy", "gallery", "what is computed knows nothing of what is kept of it"),
    ("runs", "cli", "the command line stands on top"),
    ("gallery", "pages", "core is true without a browser"),
)
GROUND = ("database", "hosting")  # what "*" leaves out: rooms that others stand on
BOTH_WAYS = {
    # (from, to): these use each other, through one door back; no second pair may follow
    ("anatomy", "runs"): "anatomy opens what a run has kept; the race of recurrence and attention is itself a run",
}


@dataclass(frozen=True)
class Import:
    """One module that uses another: dotted names of both."""

    user: str
    used: str


def imports(root: Path = ROOT) -> list[Import]:
    """Every import in app.py, pages/ and core/, also those inside functions. Reads files; imports none of them."""
    files = [root / "app.py", *sorted((root / "pages").rglob("*.py")), *sorted((root / "core").rglob("*.py"))]
    found = []
    for file in files:
        user = ".".join(file.relative_to(root).with_suffix("").parts)
        tree = parsed(file.read_text(encoding="utf-8"))
        found += [Import(user, used) for used in _used(tree)]
    return found


def _used(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = node.module in ("core", "pages")  # `from core import x`: x is a room
            yield from (f"{node.module}.{alias.name}" if whole else node.module for alias in node.names)


def room(module: str) -> str | None:
    """The room a module stands in: a folder of core, `pages` or `app`; None for core's own small files and others'."""
    first, _, rest = module.partition(".")
    if first in ("app", "pages"):
        return first
    name = rest.partition(".")[0]
    return name if first == "core" and name in ROOMS else None


def arrows(found: list[Import]) -> set[tuple[str, str]]:
    """Which room uses which."""
    pairs = {(room(one.user), room(one.used)) for one in found}
    return {(user, used) for user, used in pairs if user and used and user != used}


def violations(found: list[Import]) -> list[str]:
    """Every import that goes the wrong way, with its file and the reason why it may not."""
    wrong = []
    for one in found:
        for user, used, why in NEVER:
            mine, theirs = room(one.user), room(one.used) or one.used.partition(".")[0]
            from_there = one.user.startswith("core.") if user == "core" else mine == user
            to_there = theirs == used or (used == "*" and theirs in ROOMS and theirs not in (user, *GROUND))
            if from_there and to_there:
                wrong.append(f"{one.user} imports {one.used}: {why}")
    pairs = arrows(found)
    for user, used in sorted(pairs):
        if user < used and (used, user) in pairs and not {(user, used), (used, user)} & set(BOTH_WAYS):
            wrong.append(f"{user} and {used} use each other")
    return wrong


def drawn(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The arrows worth drawing: without the way back of BOTH_WAYS, and without those that a longer way implies."""
    forward = pairs - {(used, user) for user, used in BOTH_WAYS}
    return sorted(arrow for arrow in forward if not _reaches(forward - {arrow}, *arrow))


def _reaches(pairs: set[tuple[str, str]], start: str, end: str) -> bool:
    seen, ahead = set(), [start]
    while ahead:
        here = ahead.pop()
        if here == end:
            return True
        if here not in seen:
            seen.add(here)
            ahead += [used for user, used in pairs if user == here]
    return False


def above_ground(pairs: set[tuple[str, str]], name: str) -> list[str]:
    """The rooms that the room called `name` uses, without those that all stand on."""
    return sorted(used for user, used in pairs if user == name and used not in GROUND)


def mermaid(pairs: set[tuple[str, str]]) -> str:
    """The drawing as a Mermaid flowchart, the same for the same arrows."""
    lines = ["flowchart TD"]
    lines += [f'    {name}["{name}"]' for name in ROOMS]
    lines += [f"    {user} --> {used}" for user, used in drawn(pairs)]
    return "\n".join(lines)


def dot(pairs: set[tuple[str, str]], ink: str, edge: str) -> str:
    """The drawing for Graphviz, in the colours of the page."""
    nodes = "\n".join(f'  {name} [label="{name}", tooltip="{words}"];' for name, words in ROOMS.items())
    lines = "\n".join(f"  {user} -> {used};" for user, used in drawn(pairs))
    return (
        f'digraph {{\n  bgcolor="transparent"; rankdir=TB; nodesep=0.5; ranksep=0.45;\n'
        f'  node [shape=box, style=rounded, fontname="sans-serif", fontsize=13, color="{edge}", fontcolor="{ink}"];\n'
        f'  edge [color="{edge}", arrowsize=0.7];\n{nodes}\n{lines}\n}}'
    )


def document(root: Path = ROOT) -> str:
    """The text of docs/architecture.md."""
    pairs = arrows(imports(root))
    uses = {name: ", ".join(above_ground(pairs, name)) for name in ROOMS}
    rows = "\n".join(f"| **{name}** | {words} | {uses[name] or 'none of them'} |" for name, words in ROOMS.items())
    rules = "\n".join(
        f"- **{user}** never uses {'a room above it' if used == '*' else f'**{used}**'}: {why}."
        for user, used, why in NEVER
    )
    both = "\n".join(f"- **{one}** and **{other}**: {why}." for (one, other), why in BOTH_WAYS.items())
    return (
        "# How it is built\n\n"
        "Made by `python -m core.architecture > docs/architecture.md` from the imports in app.py, pages/ and core/; a "
        "test fails when it is out of date, or when an arrow goes the wrong way.\n\n"
        f"```mermaid\n{mermaid(pairs)}\n```\n\n"
        "An arrow says *uses*. Left out are arrows implied by others, and core's small files (configs, errors, "
        "paths, records, the glossary), which every room may use.\n\n"
        f"| room | what is in it | uses, beside {' and '.join(sorted(GROUND))} |\n|---|---|---|\n{rows}\n\n"
        f"## Which way arrows may go\n\n{rules}\n\n"
        f"One pair of rooms uses each other, through one door:\n\n{both}\n"
    )


if __name__ == "__main__":
    print(document(), end="")
