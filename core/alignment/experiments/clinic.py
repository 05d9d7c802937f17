"""The clinic: PPO really run with each of ten mistakes, beside a healthy run, on one reward model."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from core.alignment.configs import PPOConfig, RewardConfig, measuring_seed
from core.alignment.experiments.cells import Cell, Rows, run_cells
from core.alignment.experiments.configs import ClinicConfig
from core.alignment.experiments.failures import FAILURES, Failure, failure
from core.alignment.experiments.faults import (
    WithoutPadding,
    drawn_colder,
    padded_on_the_right,
    reads_as_storyteller,
    stale_reference,
    unnormalised,
)
from core.alignment.experiments.reference_texts import votes_on
from core.alignment.experiments.setting import Setting
from core.alignment.ppo import train_ppo
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import Rater
from core.alignment.stages import ready_to_tune, reward_stage
from core.errors import PlaygroundError
from core.files import write_whole
from core.language.adapters import bare
from core.language.configs import SamplingConfig
from core.language.sampling import sample
from core.record import Controls, Record, no_controls

HEALTHY = Failure("healthy", "Nothing wrong")
SHOWN = 6  # held-out prompts whose responses are kept to be read


def run_clinic(
    config: ClinicConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """The healthy run and the failures of `config`; `result["findings"]` has a finding a run: its curves and texts.

    A policy with other tokens than the storyteller's has no stale reference: it is left out of all failures. Raises
    PlaygroundError for a failure there is none of, and for that one where it was asked for by name.
    """
    known = [one.name for one in FAILURES]
    for name in config.failures:
        if name not in known:
            raise PlaygroundError(f"There is no failure {name!r}; there are: {', '.join(known)}.")
    setting = Setting(config.model, config.annotator, config.seed, folder, controls)
    chosen = [HEALTHY, *(failure(name) for name in config.failures or known)]
    if not reads_as_storyteller(setting.tokenizer):
        if config.failures and any(one.fault == "stale_reference" for one in chosen):
            raise PlaygroundError(
                f"{config.model} has other tokens than the storyteller, whose early weights are stale."
            )
        chosen = [one for one in chosen if one.fault != "stale_reference"]
    cells = [setting.pool_cell(config.votes), Cell("reward", _Clinic(config, setting).teach)]
    yield from run_cells([*cells, *(_Clinic(config, setting).cell(one) for one in chosen)], state)


class _Clinic:
    def __init__(self, config: ClinicConfig, setting: Setting) -> None:
        self.config, self.setting = config, setting
        self.reward_folder = setting.folder / "reward_model"

    def teach(self, state: dict[str, Any] | None) -> Iterator[Record]:
        setting, config = self.setting, RewardConfig(seed=self.config.seed, weights_kept=0)
        votes = votes_on(setting.pool(), setting.annotator, self.config.votes, setting.scale(), self.config.seed)
        folder, controls = self.reward_folder, setting.controls
        return reward_stage(setting.policy, setting.tokenizer, votes, config, setting.model, folder, state, controls)

    def cell(self, case: Failure) -> Cell:
        """One run; its finding is every metric of every update, and what the policy writes in the end.

        A sick run whose numbers cease to be finite has ended there: `ended` says how, and it writes nothing. It is a
        finding like the others', which go on; the healthy run's death is the experiment's.
        """
        setting = self.setting
        common = {
            "updates": self.config.updates,
            "rollout_batch": self.config.rollout_batch,
            "seed": self.config.seed,
            "weights_every": 0,
            "watch_prompts": 0,
        }
        config = PPOConfig.checked(**common | case.changes)
        end_file = setting.folder / f"end-{case.name}.json"

        def records(state: dict[str, Any] | None) -> Iterator[Record]:
            tuned, reference = ready_to_tune(setting.policy, config.lora_rank, config.seed)
            prompts = list(setting.prompts.train)
            judge: Rater = load_reward_model(self.reward_folder)
            if case.fault == "unnormalised":
                judge = unnormalised(load_reward_model(self.reward_folder))
            elif case.fault == "padding":
                judge = WithoutPadding(load_reward_model(self.reward_folder), str(setting.tokenizer.pad_token))
                prompts = padded_on_the_right(prompts, setting.tokenizer)
            elif case.fault == "temperature":
                drawn_colder(tuned)
            elif case.fault == "stale_reference":
                reference = stale_reference(setting.model)
            tokenizer, gold = setting.tokenizer, setting.annotator
            try:
                yield from train_ppo(tuned, reference, judge, prompts, config, tokenizer, state, setting.controls, gold)
            except FloatingPointError as error:
                if case is HEALTHY:
                    raise
                said, _, _ = str(error).partition(":")  # what to do about it would give the mistake away
                write_whole(end_file, json.dumps({"ended": said, "texts": []}) + "\n")
                return
            asked = list(islice(setting.prompts.heldout, SHOWN))
            if case.fault == "padding":
                asked = padded_on_the_right([*asked, max(setting.prompts.train, key=len)], tokenizer)[:SHOWN]
            sampling = SamplingConfig(seed=measuring_seed(self.config.seed))
            rollout = sample(bare(tuned), tokenizer, asked, sampling)
            texts = zip(islice(setting.prompts.heldout, SHOWN), rollout.responses, strict=True)
            written = [{"prompt": prompt, "response": response} for prompt, response in texts]
            write_whole(end_file, json.dumps({"ended": "", "texts": written}) + "\n")

        def finding(rows: Rows) -> dict[str, Any]:
            names = [name for name in (rows[0] if rows else ()) if not name.startswith("time/")]
            columns = {name: [row[name] for row in rows] for name in names}
            columns["gold"] = [setting.scale().of(utility) for utility in columns.pop("objective/gold", [])]
            end = json.loads(end_file.read_text(encoding="utf-8"))
            about = {"kind": "case", "name": case.name, "config": json.loads(config.model_dump_json())}
            return about | {"curves": columns} | end

        return Cell(case.name, records, finding)
