"""What the page Token microscope opens on: responses of three updates of the gallery's loop, with all that PPO knew."""

from typing import Any

import numpy as np

from core.alignment.configs import LoopConfig
from core.alignment.ppo_reading.slides import Slide, make_slide
from core.language.light_tokenizer import light_tokenizer
from core.record import Record

UPDATES = (1, 8)  # and the last one, whichever that is
RESPONSES = 8  # of each: the first ones, unpicked


class Microscope:
    """Watches the loop go by and keeps what the page shows."""

    def __init__(self, config: LoopConfig) -> None:
        self._config = config
        self._tokenizer = light_tokenizer(config.model)
        self._ppo: dict[str, Any] = config.ppo.model_copy(update={"seed": config.seed}).model_dump(mode="json")
        self._kept: dict[int, Slide] = {}

    def see(self, record: Record) -> None:
        """Keep the update behind `record` when it is one of those shown, or the last so far."""
        if record.stage != "ppo" or not record.rollout:
            return
        rollout = {name: np.asarray(values) for name, values in record.rollout.items()}
        slide = make_slide(rollout, self._ppo, record.step, record.metrics, self._tokenizer)
        self._kept = {update: kept for update, kept in self._kept.items() if update in UPDATES}
        self._kept[record.step] = slide.rows(range(min(RESPONSES, len(slide.numbers))))

    def write(self) -> None:
        """Write the entry."""
        from core.gallery.build import write_view  # it makes this entry beside the loop's own

        key = {"annotator": self._config.annotator, "seed": self._config.seed, "ppo": self._ppo}
        write_view("microscope", key, {"updates": [slide.to_json() for slide in self._kept.values()]}, made_by="loop")
