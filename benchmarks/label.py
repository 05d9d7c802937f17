"""From a click to the next pair: `python benchmarks/label.py [VOTES]`.

Serves the app on a data folder of its own, votes with real clicks and keys in Chromium and measures, inside the
browser, from the press to the moment the next pair's prompt stands on the page; and, beside it, what the store needs
to keep a vote on the disk and find the next pair. Prints medians and the slowest in milliseconds. The bar is 150 ms.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from served import Server, free_port

WATCH = """
key => new Promise(done => {
  const pair = () => document.querySelector('.st-key-pair_prompt')?.innerText
    + document.querySelector('.st-key-pair_left')?.innerText;
  const before = pair();
  let pressed;
  const look = () => {
    if (pair() !== before && document.querySelector('.st-key-pair_left')) done(performance.now() - pressed);
    else requestAnimationFrame(look);
  };
  const begin = () => { pressed = performance.now(); look(); };
  if (key) document.addEventListener('keydown', begin, {once: true, capture: true});
  else { pressed = performance.now(); document.querySelector('.st-key-vote_left button').click(); look(); }
})
"""


def in_the_browser(address: str, votes: int, key: str) -> list[float]:
    """Milliseconds of each of `votes` answers by mouse ("") or by `key`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{address}/label?annotator={'keys' if key else 'mouse'}")
        page.locator(".st-key-vote_left button").wait_for(timeout=60_000)
        page.wait_for_timeout(3000)
        spent = []
        for _ in range(votes):
            if key:
                page.evaluate(f"key => {{ window.spent = ({WATCH})(key) }}", key)
                page.keyboard.press(key)
                spent.append(page.evaluate("() => window.spent"))
            else:
                spent.append(page.evaluate(WATCH, ""))
            page.wait_for_timeout(1000)  # a person reads; the page settles
        browser.close()
    return spent


def in_the_store(votes: int) -> list[float]:
    """Milliseconds of a vote and the look-up of the next pair, on the disk of the temporary folder."""
    from core.feedback.quartets import fill_pool
    from core.feedback.store import FeedbackStore

    store = FeedbackStore()
    fill_pool(store)
    pool = ("storyteller", "stories")
    shown = store.next_pair("store", *pool)
    spent = []
    for _ in range(votes):
        began = time.perf_counter()
        assert shown is not None
        store.vote(shown, "store", "left", response_seconds=1.0)
        shown = store.next_repeat("store", *pool) or store.next_pair("store", *pool)
        spent.append(1000 * (time.perf_counter() - began))
    return spent


def _line(name: str, spent: list[float]) -> str:
    return f"{name:<28} median {statistics.median(spent):6.1f} ms   slowest {max(spent):6.1f} ms   ({len(spent)} votes)"


def main() -> None:
    votes = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as home:
        os.environ["RLHF_PLAYGROUND_HOME"] = home
        print(_line("store: vote and next pair", in_the_store(votes)))
        server = Server(free_port(), Path(home) / "server.log")
        server.start()
        try:
            for name, key in (("browser: click", ""), ("browser: key", "ArrowLeft")):
                print(_line(name, in_the_browser(server.address, votes, key)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
