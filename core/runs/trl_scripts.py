"""A run as scripts for TRL, with its data and its settings, to go on with where there are more machines.

    reward.py   a reward model, of a run that learned from preferences (RewardTrainer)
    dpo.py      the policy from the same preferences, without a reward model (DPOTrainer)
    rloo.py     the policy against the reward model, of a run that tuned one (RLOOTrainer: TRL has no PPO any more)

Each script is whole: it needs the folder that it lies in, `trl`, and for large models `peft`.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Any

from core.alignment.configs import DPOConfig, GroupConfig, PPOConfig, RewardConfig, is_large
from core.errors import PlaygroundError
from core.files import whole_folder, write_jsonl
from core.runs.trl_templates import DPO, REWARD, RLOO

if TYPE_CHECKING:
    from core.feedback.pairs import PreferencePair
    from core.runs.store import Run

_WITHOUT_COUNTERPART = (
    *("kl_estimator", "kl_target", "kl_horizon", "kl_budget", "target_kl", "gamma", "lam", "cliprange_value"),
    *("vf_coef", "value_model", "head_learning_rate", "entropy_coef", "whiten_rewards", "missing_end_penalty"),
)
_REWARD_ALONE = ("pooling_after", "patience", "evaluate_every")


def export_trl(run: "Run", folder: Path) -> list[Path]:
    """Write the scripts that `run` has the data for into `folder`, and return what was written.

    Raises PlaygroundError when the folder is not empty, or the run's kind trains neither reward model nor policy.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PlaygroundError(f"{folder} is not empty: --out names a new folder")
    kinds = {"reward": _taught, "dpo": _preferred, "ppo": _tuned, "loop": _both}
    if run.kind not in kinds:
        raise PlaygroundError(f"{run.id} is a {run.kind} run: TRL scripts are made of {', '.join(kinds)} runs")
    with whole_folder(folder) as temporary:
        _write_model(run.config["model"], temporary)
        kinds[run.kind](run, temporary)
    return sorted(entry for entry in folder.iterdir())


def reward_settings(config: RewardConfig, pairs: int) -> dict[str, Any]:
    """`config` as the arguments of TRL's RewardConfig, for that many training pairs."""
    return {
        **_common(config.learning_rate, config.grad_clip, config.seed),
        **_passes(config.epochs, config.batch_pairs, config.warmup_share, pairs),
        "weight_decay": config.weight_decay,
        "adam_beta2": 0.95,
        "max_length": config.max_tokens,
    }


def dpo_settings(config: DPOConfig, pairs: int) -> dict[str, Any]:
    """`config` as the arguments of TRL's DPOConfig, for that many training pairs."""
    return {
        **_common(config.learning_rate, config.grad_clip, config.seed),
        **_passes(config.epochs, config.batch_pairs, config.warmup_share, pairs),
        "beta": config.beta,
        "max_length": config.max_tokens,
        "model_init_kwargs": {"dtype": "float32"},
    }


def rloo_settings(config: PPOConfig) -> dict[str, Any]:
    """`config` as the arguments of TRL's RLOOConfig: the same responses per update, steps, leash, clip and sampling.

    RLOO compares the responses to one prompt, of which PPO writes one: here there are GroupConfig's four where they
    divide the rollout, else two or three, else all of them.
    """
    group = GroupConfig.model_fields["group_size"].default
    batch = config.rollout_batch
    group = next((size for size in (group, 2, 3) if batch % size == 0), batch)
    steps = next(parts for parts in range(min(config.minibatches, batch), 0, -1) if batch % parts == 0)
    return {
        **_common(config.learning_rate, config.grad_clip, config.seed),
        "adam_epsilon": 1e-5,
        "lr_scheduler_type": config.lr_schedule,
        "max_steps": config.updates * steps * config.epochs,
        "per_device_train_batch_size": batch // steps,
        "generation_batch_size": batch,
        "num_generations": group,
        "num_iterations": config.epochs,
        "max_completion_length": config.max_new_tokens,
        "temperature": config.temperature,
        "beta": config.kl_coef,
        "epsilon": config.cliprange,
        "normalize_advantages": config.whiten_advantages,
        "model_init_kwargs": {"dtype": "float32"},
    }


def _common(learning_rate: float, grad_clip: float, seed: int) -> dict[str, Any]:
    return {
        "learning_rate": learning_rate,
        "max_grad_norm": grad_clip,
        "weight_decay": 0.0,
        "seed": seed,
        "disable_dropout": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "report_to": "none",
    }


def _passes(epochs: int, batch: int, warmup_share: float, pairs: int) -> dict[str, Any]:
    steps = -(-pairs // batch) * epochs
    return {
        "num_train_epochs": epochs,
        "per_device_train_batch_size": batch,
        "warmup_steps": round(warmup_share * steps),
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
    }


def _taught(run: "Run", folder: Path) -> None:
    from core.alignment.cross_examination.run_pairs import reward_config_of

    config = reward_config_of(run.config)
    train, heldout = _write_votes(run, folder, config.heldout_share, config.seed)
    taught_like = {"epochs": config.epochs, "batch_pairs": config.batch_pairs, "max_tokens": config.max_tokens}
    dpo = DPOConfig(**taught_like, seed=config.seed, lora_rank=config.lora_rank or DPOConfig().lora_rank)
    notes = (
        f"TRL has no setting for the score head's own learning rate ({config.head_learning_rate}). It ends every text",
        "with the end token, and leaves out what is longer than max_length instead of cutting its beginning.",
        "Nor for these: " + ", ".join(f"{name} {getattr(config, name)}" for name in _REWARD_ALONE) + ".",
    )
    more = {"notes": "\n".join(notes), "eval": '"heldout.jsonl"' if heldout else "None"}
    lora = _lora(run, folder, config.lora_rank, "SEQ_CLS")
    _write(folder / "reward.py", run, REWARD, reward_settings(config, len(train)), lora, more)
    _write_dpo(
        run, folder, dpo, len(train), "A reward model has no β and no policy's learning rate: these are DPO's own."
    )


def _preferred(run: "Run", folder: Path) -> None:
    config = DPOConfig(**run.config["dpo"])
    train, _ = _write_votes(run, folder, run.config["heldout_share"], config.seed)
    _write_dpo(run, folder, config, len(train), "It leaves out what is longer than max_length.")


def _write_votes(
    run: "Run", folder: Path, heldout_share: float, seed: int
) -> "tuple[list[PreferencePair], list[PreferencePair]]":
    """The run's pairs as files, a part held out as it was there; what was learned from, and what was not."""
    from core.alignment.cross_examination.run_pairs import read_run_pairs
    from core.alignment.reward_training import split_by_prompt

    pairs = [one.pair for one in read_run_pairs(run.folder)]
    train, heldout = split_by_prompt(pairs, heldout_share, seed)
    for name, part in (("preferences", train), ("heldout", heldout)):
        if part:
            write_jsonl(folder / f"{name}.jsonl", _rows(part))
    return train, heldout


def _write_dpo(run: "Run", folder: Path, config: DPOConfig, pairs: int, notes: str) -> None:
    lora = _lora(run, folder, config.lora_rank, "CAUSAL_LM")
    _write(folder / "dpo.py", run, DPO, dpo_settings(config, pairs), lora, {"notes": notes})


def _tuned(run: "Run", folder: Path) -> None:
    from core.feedback.prompts import load_prompts
    from core.language.registry import apply_chat_template, load_tokenizer, policy_info

    model = run.config["model"]
    config = PPOConfig(**{"seed": run.config.get("seed", 0)} | run.config["ppo"])
    if "seed" in run.config:  # a loop's own seed holds for all of it
        config = config.model_copy(update={"seed": run.config["seed"]})
    judge = Path(run.config.get("reward_model") or run.folder / "reward_model")
    if not (judge / "config.json").exists():
        raise PlaygroundError(f"The reward model of {run.id} is not at {judge}: RLOO needs it")
    shutil.copytree(judge, folder / "reward_model")
    file = judge / "normalisation.json"
    scale = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"mean": 0.0, "sd": 1.0}
    tokenizer = load_tokenizer(model)
    prompts = load_prompts(run.config.get("prompts") or policy_info(model).default_prompts).train
    write_jsonl(folder / "prompts.jsonl", ({"prompt": apply_chat_template(tokenizer, prompt)} for prompt in prompts))
    left_out = ", ".join(f"{name} {getattr(config, name)}" for name in _WITHOUT_COUNTERPART)
    notes = f"What PPO has and RLOO has no setting for: {left_out}."
    lora = _lora(run, folder, config.lora_rank, "CAUSAL_LM")
    more = {"notes": notes, "mean": repr(scale["mean"]), "sd": repr(scale["sd"])}
    _write(folder / "rloo.py", run, RLOO, rloo_settings(config), lora, more)


def _both(run: "Run", folder: Path) -> None:
    _taught(run, folder)
    _tuned(run, folder)


def _rows(pairs: "Sequence[PreferencePair]") -> list[dict[str, Any]]:
    """TRL's standard format with an explicit prompt; where a pair says a margin, 0 for those that do not, as here."""
    with_margin = any(pair.margin is not None for pair in pairs)
    return [
        {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}
        | ({"margin": pair.margin or 0.0} if with_margin else {})
        for pair in pairs
    ]


def _write_model(model: str, folder: Path) -> None:
    """The policy as `model/`: what the scripts begin with, whatever it is called elsewhere.

    Its own folder, unless its tokenizer knows tokens that its weights have no rows for: then as the run opened it.
    """
    from transformers import AutoTokenizer

    from core.language.opening import open_config
    from core.language.registry import load_policy, load_tokenizer, policy_folder

    load_tokenizer(model)  # fetches or converts what is not here yet, and says what is wrong
    source = policy_folder(model)
    if source is None:
        raise PlaygroundError(f"{model}: not on this machine any more")
    tokens = AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False).get_vocab()
    if max(tokens.values()) >= open_config(source).get_text_config().vocab_size:
        for part in load_policy(model):
            part.save_pretrained(folder / "model")
        return
    (folder / "model").mkdir()
    for entry in source.iterdir():
        if entry.is_file():
            shutil.copy2(entry, folder / "model" / entry.name)


def _lora(run: "Run", folder: Path, rank: int, task: str) -> dict[str, Any] | None:
    """What `with_adapters` does with the large model that lies in `folder`, as arguments; None for a small one."""
    if rank == 0 or not is_large(run.config["model"]):
        return None
    import torch
    from transformers import AutoModelForCausalLM

    from core.language.adapters import adapter_settings
    from core.language.opening import open_config

    with torch.device("meta"):  # its parts, without weights
        model = AutoModelForCausalLM.from_config(open_config(folder / "model"))
    return adapter_settings(model, rank, task)


def _write(
    file: Path, run: "Run", template: str, settings: dict[str, Any], lora: dict[str, Any] | None, more: dict[str, str]
) -> None:
    fill: Callable[[Any], str] = lambda value: pformat(value, width=100, sort_dicts=False)  # noqa: E731
    text = template
    for name, value in {"run": run.id, "settings": fill(settings), "lora": fill(lora), **more}.items():
        text = text.replace(f"<{name}>", value)
    file.write_text(text, encoding="utf-8")
