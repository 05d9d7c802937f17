"""What the reward, PPO and DPO jobs do: find what they are given, then run their stage."""

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.alignment.configs import JUDGE_FILE, DPOConfig, PPOConfig, RewardConfig
from core.alignment.cross_examination.run_pairs import PAIRS_FILE, TaughtPair, read_run_pairs, taught, write_run_pairs
from core.alignment.own_turns import in_own_turns
from core.alignment.reward_folders import load_reward_model
from core.alignment.reward_model import check_can_judge
from core.alignment.reward_training import split_by_prompt
from core.alignment.stages import dpo_stage, ppo_stage, preferences_stage, reward_stage, voted_pairs
from core.errors import PlaygroundError
from core.feedback.annotators import get_annotator
from core.feedback.pairs import PreferencePair
from core.feedback.prompts import load_prompts
from core.feedback.sources import SIMULATED, load_preferences, simulated
from core.files import write_whole
from core.language.configs import SamplingConfig
from core.language.folders import model_hash
from core.language.registry import load_policy, policy_info
from core.processes import from_main
from core.record import Controls, Record, no_controls


def run_reward(
    sources: Sequence[str],
    model: str,
    config: RewardConfig,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """A reward model on the mix of `sources`, in `folder`/reward_model. At most one source may be simulated.

    Raises PlaygroundError when a source is unknown, unreadable or leaves nothing to train on.
    """
    policy, tokenizer = load_policy(model)
    check_can_judge(policy.config)  # before pairs are written that nothing could learn from
    pairs, inner = yield from _votes_of(sources, model, policy, tokenizer, config.seed, folder, state)
    for record in reward_stage(policy, tokenizer, pairs, config, model, folder / "reward_model", inner, controls):
        yield record.within("reward")


def run_dpo(
    sources: Sequence[str],
    model: str,
    config: DPOConfig,
    heldout_share: float,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """`model` tuned on the mix of `sources` with DPO, in `folder`/policy; sources and errors as in `run_reward`."""
    policy, tokenizer = load_policy(model)
    pairs, inner = yield from _votes_of(sources, model, policy, tokenizer, config.seed, folder, state)
    train, heldout = split_by_prompt(pairs, heldout_share, config.seed)
    for record in dpo_stage(policy, tokenizer, train, config, folder / "policy", inner, controls, heldout):
        yield record.within("dpo")


def _votes_of(
    sources: Sequence[str],
    model: str,
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    folder: Path,
    state: dict[str, Any] | None,
) -> Generator[Record, None, tuple[list[PreferencePair], dict[str, Any] | None]]:
    """The votes of `sources`, kept in `folder`, and the state of the stage that learns them.

    What is simulated is written by `policy` first, a record a batch. A resumed run goes on with what it began with,
    whatever was voted since.
    """
    fresh = [source for source in sources if source.startswith(f"{SIMULATED}:")]
    if len(fresh) > 1:
        raise PlaygroundError(f"one simulated source at a time (given: {', '.join(fresh)})")
    pairs: list[TaughtPair] = []
    written = from_main((folder / PAIRS_FILE).exists)
    for source in sources if not written else ():
        if source not in fresh:
            pairs += taught(in_own_turns(from_main(partial(load_preferences, source)), tokenizer), source)
    inner = state["of"] if state and not (written and state["stage"] == "preferences") else None
    if fresh and not written:
        annotator, count = simulated(fresh[0])
        file = folder / "preferences.jsonl"
        if state is None or state["stage"] == "preferences":
            prompts = load_prompts(policy_info(model).default_prompts).train
            sampling = SamplingConfig(seed=seed)
            for record in preferences_stage(
                policy, tokenizer, prompts, get_annotator(annotator), count, sampling, file, inner
            ):
                yield record.within("preferences")
            inner = None
        pairs += taught(voted_pairs(file)[0], fresh[0])
    if not written:
        write_run_pairs(folder, pairs)
    return from_main(lambda: [one.pair for one in read_run_pairs(folder)]), inner


def run_ppo(
    model: str,
    reward_model: str,
    prompts: str,
    config: PPOConfig,
    gold: str,
    folder: Path,
    state: dict[str, Any] | None = None,
    controls: Controls = no_controls,
) -> Iterator[Record]:
    """`model` tuned against the reward model of a folder, in `folder`/policy.

    `gold`: the simulated annotator whose true utility is measured on the way; "" when nobody's is known. Raises
    PlaygroundError when a run that goes on would be paid by other weights than it began with.
    """
    judge = load_reward_model(reward_model)
    from_main(partial(_check_same_judge, Path(reward_model), folder, begun=state is not None))
    policy, tokenizer = load_policy(model)
    texts = load_prompts(prompts or policy_info(model).default_prompts)
    annotator = get_annotator(gold) if gold else None
    watched = texts.heldout[: config.watch_prompts]
    yield from ppo_stage(
        policy, tokenizer, judge, texts.train, config, folder / "policy", state, controls, annotator, watched
    )


def _check_same_judge(reward_model: Path, folder: Path, begun: bool) -> None:
    file, now = folder / JUDGE_FILE, model_hash(reward_model)
    if not begun:
        write_whole(file, now + "\n")
    elif file.exists() and (before := file.read_text(encoding="utf-8").strip()) != now:
        raise PlaygroundError(
            f"{reward_model} holds another reward model than this run began with (weights {now}, they were {before}): "
            "put that one back, or start a new run"
        )
