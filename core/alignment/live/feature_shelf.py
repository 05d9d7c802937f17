"""Frozen features read ahead in the background, so that neither a vote nor the next pair waits for a forward pass."""

import atexit
import logging
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from core.errors import PlaygroundError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Text = tuple[str, str]
"""A prompt and a response to it."""

_BATCH = 8  # texts a forward pass: what is wanted most never waits long behind what is wanted less
_TRIES = 3
_KEPT = 20_000  # texts: 40 MB of the storyteller's features

log = logging.getLogger(__name__)


class FeatureShelf:
    """The features of one policy's texts. Asking never blocks; safe to share between threads.

    A daemon thread reads what is wanted and ends when there is nothing left; the policy is loaded by the first one.
    """

    def __init__(self, open_policy: "Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]]") -> None:
        """`open_policy` gives the policy and its tokenizer; called once, in the background."""
        self._open_policy = open_policy
        self._opened: tuple[PreTrainedModel, PreTrainedTokenizerBase] | None = None
        self._lock = threading.Lock()
        self._wanted: dict[Text, None] = {}  # most urgent first
        self._kept: dict[Text, np.ndarray] = {}  # oldest first
        self._reader: threading.Thread | None = None
        self._closed = False
        self._failures = 0
        self.error = ""  # why nothing can be read, in words for the page; empty while all is well

    def want(self, texts: Iterable[Text]) -> None:
        """Have these read, the first ones first, before everything wanted earlier."""
        with self._lock:
            new = dict.fromkeys(text for text in texts if text not in self._kept)
            self._wanted = new | self._wanted
            if self._wanted and self._reader is None and not self.error and not self._closed:
                self._reader = threading.Thread(target=self._read_all, name="frozen-features", daemon=True)
                atexit.register(self.close)  # a thread inside torch while the interpreter goes away takes it down
                self._reader.start()

    def close(self) -> None:
        """Read nothing more; returns when the batch being read is done."""
        with self._lock:
            self._closed = True
            self._wanted.clear()
            reader = self._reader
        if reader is not None:
            reader.join()
        atexit.unregister(self.close)

    def features(self, prompt: str, response: str) -> np.ndarray | None:
        """Features of one response, [views, width]; None while they have not been read."""
        return self._kept.get((prompt, response))

    def gap(self, prompt: str, left: str, right: str) -> np.ndarray | None:
        """Features of `left` minus those of `right`, [views, width]; None while either has not been read."""
        ours, theirs = self.features(prompt, left), self.features(prompt, right)
        return None if ours is None or theirs is None else ours - theirs

    def wait(self, seconds: float) -> bool:
        """Wait until all that is wanted has been read; False when it takes longer."""
        reader = self._reader
        if reader is not None:
            reader.join(seconds)
        return not self._wanted

    def _read_all(self) -> None:
        from core.alignment.live.frozen_features import frozen_features

        try:
            if self._opened is None:
                self._opened = self._open_policy()
            while batch := self._next_batch():
                prompts, responses = zip(*batch, strict=True)
                read = frozen_features(*self._opened, prompts, responses)
                with self._lock:
                    self._kept.update(zip(batch, read, strict=True))
                    for text in batch:
                        self._wanted.pop(text, None)
                    for text in list(self._kept)[: max(0, len(self._kept) - _KEPT)]:
                        del self._kept[text]
        except PlaygroundError as error:  # a policy that is not on this machine
            self._give_up(str(error))
        except Exception as error:  # a daemon thread has nobody to raise to: tried again when wanted again, then said
            log.exception("Could not read features")
            self._failures += 1
            self._give_up(f"The policy's hidden states could not be read: {error}" if self._failures == _TRIES else "")

    def _next_batch(self) -> list[Text]:
        """The most urgent texts; with none left the thread is over, decided under the lock that `want` takes."""
        with self._lock:
            batch = [text for text, _ in zip(self._wanted, range(_BATCH), strict=False)]
            if not batch:
                self._reader = None
                atexit.unregister(self.close)
            return batch

    def _give_up(self, reason: str) -> None:
        with self._lock:
            self.error = reason
            self._wanted.clear()
            self._reader = None
        atexit.unregister(self.close)
