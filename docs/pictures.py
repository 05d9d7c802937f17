"""The README's pictures, taken from the running app: `python docs/pictures.py` (needs the test extra and Chromium).

Each is of what a page shows on a fresh data folder: cached real results.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
PICTURES = {
    # file: (what to open, height in pixels)
    "overview": ("/", 900),
    "loss_surface": ("/loss_surface?part=The+real+model", 900),
    "ppo": ("/ppo", 900),
    "token_microscope": ("/token_microscope?push_guess=up", 1000),
}
WIDTH, MOST_BYTES = 1280, 150_000


def main() -> None:
    """Take all of them, or those named."""
    wanted = sys.argv[1:] or list(PICTURES)
    with served() as address, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in wanted:
            path, height = PICTURES[name]
            page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
            save(shot(page, address + path), DOCS / f"{name}.png")
            page.close()
        browser.close()


def shot(page: Page, address: str) -> bytes:
    """The page as it stands when it has drawn all it has."""
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for(timeout=120_000)
    page.locator("[data-test-script-state=notRunning]").wait_for(timeout=120_000)
    page.wait_for_timeout(3000)  # charts paint
    return page.screenshot()


def save(picture: bytes, file: Path) -> None:
    """As PNG of 256 colours. Raises ValueError when that is still too large to carry along."""
    # Maximum coverage keeps rare hues, which here mean something; the median cut turned orange into mauve.
    few = (
        Image.open(io.BytesIO(picture))
        .convert("RGB")
        .quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    few.save(file, optimize=True)
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file.name} has {file.stat().st_size:,} bytes, more than {MOST_BYTES:,}")
    print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


@contextmanager
def served() -> Iterator[str]:
    """The address of the app, served on a free port from a data folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "app.py",
            f"--server.port={port}",
            "--server.headless=true",
        ]
        environment = os.environ | {"RLHF_PLAYGROUND_HOME": home, "HF_HUB_OFFLINE": "1"}
        server = subprocess.Popen(command, cwd=DOCS.parent, env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=20)


def wait_for(address: str, seconds: float = 60) -> None:
    """Until the server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=1).read()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} did not answer within {seconds:.0f} s")


if __name__ == "__main__":
    main()
