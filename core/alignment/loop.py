"""The whole loop, stage by stage: votes, reward model, PPO, and an honest measurement."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.alignment.configs import LoopConfig, measuring_seed
from core.alignment.evaluation import compare_on_heldout, reward_skill, summarise_heldout
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import check_can_judge
from core.alignment.stages import ppo_stage, preferences_stage, reward_stage, voted_pairs
from core.feedback.annotators import get_annotator
from core.feedback.prompts import load_prompts
from core.files import write_jsonl
from core.language.configs import SamplingConfig
from core.language.registry import load_policy, policy_info
from core.record import Controls, Record, no_controls

STAGES = ("preferences", "reward", "ppo", "evaluation")


def run_loop(
    config: LoopConfig, folder: Path, state: dict[str, Any] | None = None, controls: Controls = no_controls
) -> Iterator[Record]:
    """Run the loop, leaving preferences.jsonl, reward_model/, policy/ and heldout.jsonl in `folder`.

    Each of them appears whole or not at all. What `controls` change is PPO's: asked for earlier, it waits. `state` is
    what an earlier record's `state()` gave: the stages before its own are taken from their files, its own continues,
    and the records that follow are those that followed it. The last record's `result` has every figure; all but the
    seconds can be recomputed from the files.
    """
    reached = STAGES.index(state["stage"]) if state else 0
    inner = [state["of"] if state and reached == stage else None for stage in range(len(STAGES))]
    clock = _Clock(state["seconds"] if state else {})
    annotator = get_annotator(config.annotator)
    prompts = load_prompts(config.prompts or policy_info(config.model).default_prompts)
    prompts.check_for_loop(parted=config.reward.heldout_share > 0)
    policy, tokenizer = load_policy(config.model)
    check_can_judge(policy.config)  # before pairs are written that nothing could learn from
    sampling = SamplingConfig(
        max_new_tokens=config.ppo.max_new_tokens, temperature=config.ppo.temperature, seed=config.seed
    )
    votes_file, reward_folder, policy_folder = folder / "preferences.jsonl", folder / "reward_model", folder / "policy"

    if reached <= 0:
        yield from clock.over(
            preferences_stage(policy, tokenizer, prompts.train, annotator, config.pairs, sampling, votes_file, inner[0])
        )
    pairs, sd = voted_pairs(votes_file)
    if reached <= 1:
        reward_config = config.reward.model_copy(update={"seed": config.seed})
        records = reward_stage(
            policy, tokenizer, pairs, reward_config, config.model, reward_folder, inner[1], no_controls
        )
        yield from clock.over(records)
    reward_model = load_reward_model(reward_folder)
    ppo_config = config.ppo.model_copy(update={"seed": config.seed})
    updates = inner[2]["update"] if inner[2] else 0
    watched = prompts.heldout[: ppo_config.watch_prompts]
    records = ppo_stage(
        policy,
        tokenizer,
        reward_model,
        prompts.train,
        ppo_config,
        policy_folder,
        inner[2],
        controls,
        annotator,
        watched,
    )
    for record in clock.over(records):
        updates = record.step
        yield record
    seconds = clock.seconds()

    tuned, _ = load_policy(str(policy_folder))
    measuring = sampling.model_copy(update={"seed": measuring_seed(config.seed)})
    heldout = list(itertools.islice(itertools.cycle(prompts.heldout), config.evaluation_prompts))
    first = load_policy(config.first)[0] if config.first else None
    rows = compare_on_heldout(tuned, policy, tokenizer, heldout, annotator, measuring, first)
    write_jsonl(folder / "heldout.jsonl", (row.row for row in rows))
    measured = summarise_heldout(rows)
    yield Record(
        1,
        {f"heldout/{name}": value for name, value in measured.items()},
        "evaluation",
        total=2,
        samples=[row.row for row in rows[:8]],
    )
    skill = reward_skill(
        reward_model, policy, tokenizer, prompts.heldout, annotator, sd, config.evaluation_pairs, measuring
    )
    result = {
        "model": config.model,
        "annotator": config.annotator,
        "seed": config.seed,
        "pairs": len(pairs),
        "updates": updates,
        **measured,
        **skill,
        "seconds": seconds | {"evaluation": clock.since_last()},
    }
    numbers = {f"heldout/{name}": value for name, value in skill.items() if isinstance(value, float)}
    yield Record(2, numbers, "evaluation", total=2, result=result)


class _Clock:
    """Wall seconds of each stage, counted over interruptions."""

    def __init__(self, before: dict[str, float]):
        self.spent = dict(before)
        self.last = time.monotonic()

    def over(self, records: Iterator[Record]) -> Iterator[Record]:
        """The records of one stage, whose states also say the stage and the seconds spent so far."""
        stage = ""
        for record in records:
            stage = record.stage
            self._count(stage)
            yield replace(record, result=None).within(stage, seconds=dict(self.spent))
        if stage:
            self._count(stage)  # what the stage did behind its last record: saving its folder

    def _count(self, stage: str) -> None:
        self.spent[stage] = self.spent.get(stage, 0.0) + self.since_last()
        self.last = time.monotonic()

    def since_last(self) -> float:
        return time.monotonic() - self.last

    def seconds(self) -> dict[str, float]:
        """Of each stage, and `total`: votes, reward model and PPO, which is the loop; measuring it comes on top."""
        return self.spent | {"total": sum(self.spent.values())}
