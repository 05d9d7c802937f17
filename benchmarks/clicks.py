"""A slider or a click, and how long the server takes for the picture: `python benchmarks/clicks.py [MODEL-TOKENS …]`.

Drives the pages about the machine through Streamlit's AppTest, warm (every part has been opened once), and prints the
median and the slowest of each control in milliseconds, beside the bar. Run it with nothing else on the machine; it
keeps its data in a temporary folder (SmolLM2 is converted once: half a minute).
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[1]
TEXT = "Tom and Lily went to the park. Lily was sad because she lost her ball. " * 20
CASES = {"storyteller-12": 200, "storyteller-256": 200, "smollm2-135m-64": 600}  # model and tokens: bar in ms
Control = tuple[str, dict[str, str], str, str, list[Any]]  # page, URL, kind of widget, its key, the values it takes
CONTROLS: list[Control] = [
    ("attention", {"part": "One head"}, "selectbox", "layer", [0, 2, 4, 1]),
    ("attention", {"part": "One head"}, "selectbox", "head", [1, 2, 0, 3]),
    ("attention", {"part": "One head"}, "slider", "tau", [0.5, 2.0, 1.5]),
    ("attention", {"part": "All heads"}, "segmented_control", "sort", ["entropy", "distance"]),
    ("attention", {"part": "All heads"}, "selectbox", "head", [1, 2, 0, 3]),
    ("attention", {"part": "Does it matter?", "guess": "a little: up to 0.1"}, "selectbox", "head", [1, 2, 0, 3]),
    ("embeddings", {"part": "Positions", "look": "The rotation"}, "slider", "place", [3, 40, 20]),
    ("embeddings", {"part": "Vocabulary"}, "text_input", "word", ["cat", "happy", "run"]),
    ("transformer_block", {"part": "One block"}, "selectbox", "layer", [0, 2, 4, 1]),
    ("transformer_block", {"part": "Along the depth"}, "selectbox", "token", [0, 1, 2, 5]),
    ("transformer_block", {"part": "Along the depth", "block_guess": "shorter"}, "selectbox", "norms",
     ["out from layer 0", "out from layer 1", "out from layer 2"]),
    ("transformer_block", {"part": "Logit lens"}, "segmented_control", "colour",
     ["the final answer's", "KL from the end"]),
    ("transformer_block", {"part": "Next token"}, "slider", "temperature", [0.5, 0.9, 1.3]),
    ("transformer_block", {"part": "Encoder, decoder"}, "selectbox", "layer", [0, 1, 3]),
    ("transformer_block", {"part": "Writing"}, "button", "writing_step", [None] * 4),
    ("why_transformers", {"part": "Gradients through time"}, "slider", "radius", [0.6, 1.1, 1.4]),
]  # fmt: skip


def sentence(model: str, tokens: int) -> str:
    """A text of about so many tokens."""
    from core.language.registry import load_tokenizer

    tokenizer = load_tokenizer(model)
    return str(tokenizer.decode(tokenizer(TEXT, add_special_tokens=False)["input_ids"][:tokens]))


def milliseconds(control: Control, model: str, text: str) -> list[float]:
    """One page, opened twice, then the control moved through its values."""
    page, url, kind, key, values = control
    at = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=600)
    for name, value in (url | {"model": model, "sentence": text}).items():
        at.query_params[name] = value
    at.run().run()
    spent = []
    for value in values:
        widget = getattr(at, kind)(key=key)
        widget.click() if kind == "button" else widget.set_value(value)
        began = time.perf_counter()
        at.run()
        spent.append(1000 * (time.perf_counter() - began))
        if at.exception:
            raise RuntimeError(f"{page}, {key}: {at.exception[0].message}")
    return spent


def main() -> None:
    chosen = sys.argv[1:] or list(CASES)
    print("| model and tokens | page | part | control | median ms | slowest ms | bar |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("RLHF_PLAYGROUND_HOME", home)
        for case in chosen:
            model, _, tokens = case.rpartition("-")
            text = sentence(model, int(tokens))
            for control in CONTROLS:
                if control[0] == "why_transformers" and case != chosen[0]:
                    continue  # it opens no model
                spent = milliseconds(control, model, text)
                page, url, _, key, _ = control
                figures = f"{statistics.median(spent):.0f} | {max(spent):.0f} | {CASES[case]}"
                print(f"| {case} | {page} | {url['part']} | {key} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
