"""Writes stories.jsonl, the openings of *stories*: `python -m core.feedback.data.make_stories`.

Every opening is a template filled from story_words.txt. Within a template no phrase comes twice before its list is
used up, so that two openings are hardly ever the same scene with another name in it.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent
SEED = 2
PER_TEMPLATE = 18
HELD_OUT = 256

Phrase = str | tuple[str, ...]  # a pair holds two phrases that belong together

# {hero} and {friend} are names, {he} {him} {his} the hero's pronouns, {pet} a pet's name; a stands for "a" or "an".
# Everything else names a list of story_words; [0] and [1] are the halves of a pair.
TEMPLATES = (
    "One day, {hero} found {finds} {outdoors}. {He} wanted",
    "{hero} saw {finds} {outdoors}. When {he} picked it up,",
    '{hero} showed {his} {adults} {finds}. "Where did you',
    "On the way home, {hero} stepped on {finds}. {He} stopped and",
    "{hero} opened {containers} and saw",
    "{hero} was not allowed to open {containers}. But today",
    "{moments}. There was a knock at the door. {hero}",
    "{moments}. {hero} sat by the window and thought about",
    "Once upon a time, a {homes[0]} named {pet} lived {homes[1]}. One day,",
    "A {homes[0]} lived {homes[1]}. Every night, it",
    'The {traits} {animals} met a {other_traits} {other_animals} {outdoors}. "',
    "{hero} had a {pets} named {pet}. One morning, {pet}",
    "{hero}'s {pets} ran away. {He} looked everywhere and",
    "The {traits} {animals} wanted something to eat. It looked {outdoors} and",
    "One night, a {traits} {animals} heard {sounds}. It",
    "{hero} saw a {animals} {outdoors}. The {animals} looked at {him} and",
    "A {traits} {animals} wanted to {wishes}. The other animals",
    "A {animals} and a {other_animals} were friends. Then one day,",
    '{hero} wanted to {wishes}. "Is it',
    '{hero} looked at {seen}. "{openers}',
    "{hero} and {his} {siblings} stood in front of {seen}. {hero} felt",
    '"{questions}?" asked {hero}. {His} {adults}',
    '"{questions}?" {hero} asked. "',
    '"{commands}," said {hero}\'s {adults}. But {hero}',
    '"{commands}," {hero} told {his} {siblings}. {His} {siblings}',
    '"{claims}," said {hero}. {friend} looked at {him} and',
    '"{claims}," {hero} told {friend}. "',
    '{hero} ran up to {friend} and asked, "{asks}',
    '{hero} tapped {his} {adults} on the arm. "{asks}',
    '"Look at {sights}!" {hero} shouted. {His} {adults}',
    '{hero} pointed at {seen}. {His} {siblings} said, "',
    'The {jobs} said to {hero}, "{sayings}',
    "{hero} wanted to be a {jobs}. So {he}",
    "The {jobs} had a problem. Every day,",
    "{hero} was {doings} when suddenly",
    "{hero} and {friend} were {doings}. Then {friend}",
    "While {hero} was {doings}, {his} {adults}",
    "{hero} liked {doings}. But one day,",
    "After {doings} for a while, {hero} felt",
    "{hero}'s {adults} took {him} {trips}. On the way,",
    "{hero} went {trips} with {his} {siblings}. They saw",
    "It was time to {chores}, but {hero}",
    "{hero} did not want to {chores}. {His} {adults}",
    "{hero} learned how to {skills}. The next day, {he}",
    "All morning, {hero} tried to {skills}, but",
    "{hero} dreamed that {dreams}. When {he} woke up,",
    "It was a {outfits[0]} day. {hero} put on {outfits[1]} and",
    "{weather}. {hero} went outside and",
    '{weather}. {hero} turned to {friend}. "Are you',
    "{hero} got {gifts} for {his} birthday. {He}",
    "{hero} gave {friend} {gifts}. {friend} looked at it and",
    '{hero} and {friend} both wanted {shared}. {hero} said, "',
    "{hero} dropped {breakables} on the floor. {His} {adults}",
    "{hero} could not find {his} {belongings}. {He}",
    "{friend} took {hero}'s {belongings}. {hero} felt",
    "{hero} made {made} for {his} {adults}. But",
    "{hero} hid {finds} {hiding}. A week later,",
    "One afternoon, {hero} was very {feelings} because",
    '"Why are you so {feelings}?" {friend} asked {hero}.',
    "{hero} painted {pictures}. Everyone who saw it",
    "{hero} shared {foods} with {friend}. After that,",
    "{hero} took one bite of {foods} and",
    "Once upon a time, there was a {people[0]} who {people[1]}. One day,",
    'A little {colors} {vehicles} {vehicle_trouble}. "',
    "In a small town, there was {wonders}. Nobody",
    "Every day, {hero} walked past {landmarks}. Today,",
    "{hero} heard {sounds} coming from {sound_places}. {He}",
    "{hero} climbed {climbable}. From the top, {he}",
    "{hero} followed {trails} into the woods. Soon {he}",
    "{hero} planted {seeds} in the garden. After a few days,",
    "{hero} and {his} {adults} built {built}. When it was done,",
    "It was the first day of {classes}. {hero}",
    "At the end of the {contests}, {hero}",
    "The bus stopped {rides}. {hero} stepped out and",
    '{hero} met {strangers} {outdoors}. "{openers}',
)  # fmt: skip


def read_words() -> dict[str, tuple[Phrase, ...]]:
    """The lists of story_words.txt by name."""
    text = (DATA / "story_words.txt").read_text(encoding="utf-8")
    lists: dict[str, tuple[Phrase, ...]] = {}
    for section in re.split(r"^\[", text, flags=re.MULTILINE)[1:]:
        name, phrases = section.split("]", 1)
        cleaned = (" ".join(phrase.split()) for phrase in phrases.split(";"))
        lists[name] = tuple(tuple(phrase.split(" | ")) if " | " in phrase else phrase for phrase in cleaned)
    return lists


class Deck:
    """Phrases drawn in random order, none twice before all were drawn."""

    def __init__(self, phrases: tuple[Phrase, ...], rng: random.Random) -> None:
        self._phrases, self._rng = phrases, rng
        self._waiting: list[Phrase] = []

    def draw(self, unlike: Phrase | None = None) -> Phrase:
        """The next phrase; never `unlike`."""
        if not self._waiting:
            self._waiting = self._rng.sample(self._phrases, len(self._phrases))
        phrase = self._waiting.pop()
        return phrase if phrase != unlike else self.draw(unlike)


class Scene(dict[str, Phrase]):
    """What one opening's slots hold. A slot is drawn when the template first asks for it, and stays."""

    def __init__(self, decks: dict[str, Deck], names: dict[str, Deck], rng: random.Random) -> None:
        female = rng.random() < 0.5
        hero = names["girls" if female else "boys"].draw()
        friend = names["girls" if rng.random() < 0.5 else "boys"].draw(unlike=hero)
        he, him, his = ("she", "her", "her") if female else ("he", "him", "his")
        super().__init__(hero=hero, friend=friend, he=he, him=him, his=his, He=he.capitalize(), His=his.capitalize())
        self["pet"] = names["pet_names"].draw(unlike=hero)
        self._decks = decks

    def __missing__(self, slot: str) -> Phrase:
        kind = slot.removeprefix("other_")
        self[slot] = self._decks[kind].draw(unlike=self.get(kind))
        return self[slot]


def openings() -> Iterator[str]:
    """All openings, template after template, the same ones every time."""
    rng = random.Random(SEED)
    words = read_words()
    names = {kind: Deck(words[kind], rng) for kind in ("girls", "boys", "pet_names")}
    for template in TEMPLATES:
        decks = {kind: Deck(phrases, rng) for kind, phrases in words.items()}
        for _ in range(PER_TEMPLATE):
            text = template.format_map(Scene(decks, names, rng))
            yield re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def rows() -> list[dict[str, str]]:
    """The rows of the file: every opening once, shuffled, the first `HELD_OUT` of them held out."""
    unique = list(dict.fromkeys(openings()))
    random.Random(SEED).shuffle(unique)
    return [
        {"prompt": prompt, "split": "heldout" if place < HELD_OUT else "train"} for place, prompt in enumerate(unique)
    ]


if __name__ == "__main__":
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows())
    (DATA / "stories.jsonl").write_text("".join(lines), encoding="utf-8")
