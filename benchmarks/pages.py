"""From a click to its picture, on the real app in Chromium: `python benchmarks/pages.py [--times 5]`.

The first page, on a server just started and again in a fresh browser: from the address to its title, picture and texts
on the screen, and to the app's own page standing with all its controls. Then
radio buttons, sliders, selections and tokens of the main pages are clicked, on an idle machine and again while a loop
trains: measured inside the browser, from the press to the last change of the page before it rests. And how long after
it was recorded a step of the running loop stands on its page. Prints medians, 95th percentiles and the slowest in
milliseconds beside the bars. Run it with nothing else on the machine.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from served import Server, end_workers, free_port

IDLE_BAR, TRAINING_BAR, STEP_BAR, FIRST_BAR = 200, 500, 1000, 1200  # ms
Act = Callable[[Page, int], None]


def choice(*names: str) -> Act:
    """Press the buttons of a row in turn."""
    return lambda page, turn: page.get_by_role("radio", name=names[turn % len(names)], exact=True).first.click()


def numbered(key: str, *pages: int) -> Act:
    """Turn to a page of a row of numbers."""

    def act(page: Page, turn: int) -> None:
        row = page.locator(f".st-key-{key}")
        row.get_by_role("button", name=f"Page {pages[turn % len(pages)]}", exact=True).click()

    return act


def pushed(name: str) -> Act:
    """Push a slider on by a key."""
    return lambda page, turn: page.get_by_role("slider", name=name).first.press("ArrowRight")


ACTS: list[tuple[str, str, str, Act]] = [  # page, query, what is done, how
    ("", "", "next example", numbered("example", 2, 3, 1)),
    ("loss_surface", "?part=One comparison", "score", pushed("Score of the chosen")),
    ("reward_model", "?part=Worst mistakes", "next mistakes", numbered("mistakes", 2, 3, 1)),
    ("ppo", "", "view", choice("Is this normal?", "Curves")),
    ("token_microscope", "?push_guess=up", "colour", choice("KL", "Advantage", "Reward")),
    ("before_after", "", "next prompt", numbered("which", 2, 3, 1)),
    ("goodhart", "", "β", choice("0.1", "0")),
    ("clinic", "", "patient", choice("Patient 2", "Patient 3", "Patient 1")),
    ("attention", "?part=One head", "temperature", pushed("Temperature")),
]
# The last change of the page before it rests: its script has ended and nothing has moved for a while. Runs so short
# that their state never shows are given time to. What the strip tells of a run at work is not the click's doing.
WATCH = """() => {
  const app = document.querySelector('.stApp');
  window.ended = new Promise(done => {
    let pressed = 0, changed = 0, ran = false;
    const begin = () => { pressed ||= performance.now(); };
    for (const kind of ['pointerdown', 'keydown']) document.addEventListener(kind, begin, {once: true, capture: true});
    const seen = new MutationObserver(records => {
      ran ||= pressed && app.dataset.testScriptState !== 'notRunning';
      if (pressed && records.some(({target}) => !(target.closest ?? (() => null)).call(target, '.st-key-strip'))) {
        changed = performance.now();
      }
    });
    seen.observe(app, {attributes: true, childList: true, characterData: true, subtree: true});
    const resting = setInterval(() => {
      const now = performance.now();
      if (!changed || now - changed < 600 || app.dataset.testScriptState !== 'notRunning') return;
      if (!ran && now - pressed < 1500) return;
      clearInterval(resting);
      seen.disconnect();
      done(changed - pressed);
    }, 50);
  });
}"""
SEEN = """() => new Promise(done => {
  const look = () => {
    const sight = document.querySelector('#first-sight');
    const drawn = sight?.querySelector('.picture')?.shadowRoot?.querySelector('.value')?.textContent;
    const paint = performance.getEntriesByName('first-contentful-paint')[0];
    if (drawn && paint) requestAnimationFrame(() => done(Math.max(paint.startTime, performance.now())));
    else requestAnimationFrame(look);
  };
  look();
})"""
STANDING = """() => new Promise(done => {
  const look = () => {
    const app = document.querySelector('.stApp');
    const there = document.querySelector('h1') && document.querySelector('.st-key-example, .stVegaLiteChart canvas');
    if (there && app.dataset.testScriptState === 'notRunning') requestAnimationFrame(() => done(performance.now()));
    else requestAnimationFrame(look);
  };
  look();
})"""
STEPS = """() => {
  window.seen = {};
  const look = () => {
    for (const stage of document.querySelectorAll('.stages .reached')) {
      const found = stage.innerText.match(/(\\d+) · .*?(\\d+) of/s);
      if (found) window.seen[`${found[1]} ${found[2]}`] ??= Date.now();
    }
    requestAnimationFrame(look);
  };
  look();
}"""
STAGES = {"2": "reward", "3": "ppo", "4": "evaluation"}  # as the page numbers them; of votes it says pairs, not steps


def settle(page: Page) -> None:
    """Until the page's script has ended and what it drew stands."""
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=120_000)
    page.wait_for_timeout(1500)


def clicks(page: Page, address: str, times: int) -> dict[str, list[float]]:
    """Milliseconds of every act, by its name; the first time of each page loads what it needs and is not counted."""
    found: dict[str, list[float]] = {}
    for where, query, what, act in ACTS:
        page.goto(f"{address}/{where}{query}")
        page.locator("h1").first.wait_for(timeout=120_000)
        settle(page)
        for turn in range(times + 1):
            page.evaluate(WATCH)
            act(page, turn)
            spent = page.evaluate("() => window.ended")
            if turn:
                found.setdefault(f"{where or 'overview'}: {what}", []).append(spent)
            page.wait_for_timeout(400)
    return found


def steps_seen(page: Page, address: str, run_id: str, seconds: float) -> list[float]:
    """Milliseconds from the moment a step was recorded to the moment the run's page shows its number."""
    from core.runs.store import RunStore

    page.goto(f"{address}/?run={run_id}")
    page.locator(".stages").wait_for(timeout=120_000)
    page.evaluate(STEPS)
    page.wait_for_timeout(1000 * seconds)
    seen = page.evaluate("() => window.seen")
    recorded = {(step.stage, step.step): step.time for step in RunStore().steps(run_id)}
    named = [(*key.split(), at / 1000) for key, at in seen.items()]
    shown = [((STAGES[stage], int(step)), at) for stage, step, at in named if stage in STAGES]
    return [1000 * (at - recorded[step]) for step, at in shown[1:] if step in recorded]  # the first stood there before


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def told(title: str, bar: int, found: dict[str, list[float]]) -> None:
    every = [value for values in found.values() for value in values]
    print(f"\n{title} (bar: {bar} ms)")
    for name, values in found.items():
        print(f"  {name:<32} median {statistics.median(values):5.0f}   slowest {max(values):5.0f}")
    if every:
        print(
            f"  {'all ' + str(len(every)):<32} median {statistics.median(every):5.0f}   slowest {max(every):5.0f}   "
            f"95th percentile {p95(every):5.0f}",
            flush=True,
        )


@contextmanager
def trained(home: Path) -> Iterator[str]:
    """A loop that trains in the background for as long as it is looked at."""
    from core.alignment.configs import LoopPPOConfig
    from core.runs.jobs import LoopJob
    from core.runs.store import RunStore

    run = RunStore().create(LoopJob(ppo=LoopPPOConfig(updates=1000, kl_budget=None)))
    try:
        while RunStore().get(run.id).status == "queued":
            time.sleep(0.5)
        yield run.id
    finally:
        end_workers(home)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="times each act is measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        os.environ["RLHF_PLAYGROUND_HOME"] = folder
        server = Server(free_port(), home / "server.log")
        server.start()
        chromium = shutil.which("chromium")
        try:
            seen, standing = [], []
            for _ in range(3):
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(server.address, wait_until="commit")
                seen.append(page.evaluate(SEEN))
                standing.append(page.evaluate(STANDING))
                browser.close()
            for what, first in ("on the screen", seen), ("with its controls", standing):
                found = {"server just started": first[:1], "again": first[1:]}
                told(f"First page in a fresh browser, {what}", FIRST_BAR, found)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            told("A click, idle", IDLE_BAR, clicks(page, server.address, asked.times))
            with trained(home) as run_id:
                told("A step on its page", STEP_BAR, {"loop": steps_seen(page, server.address, run_id, 75)})
                told("A click while a loop trains", TRAINING_BAR, clicks(page, server.address, asked.times))
            browser.close()
        finally:
            server.stop()
            end_workers(home)


if __name__ == "__main__":
    main()
