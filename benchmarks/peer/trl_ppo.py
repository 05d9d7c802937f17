"""TRL's PPO (1.12.0, the last release that has it) on a case, timed from outside: nothing of its maths is touched.

Run by `beside_peer.py` and `learning_beside_peer.py`, with TRL on the path. Prints one JSON object: seconds an update
and in its phases, peak memory, and the mean score of every update.
"""

import argparse
import functools
import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import trl.experimental.ppo.ppo_trainer as trainer_module
from datasets import Dataset
from material import CASES, queries
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer

SPENT = {"sampling": 0.0}
MARKS: dict[str, float] = {}


def timed(function: Callable, phase: str) -> Callable:
    @functools.wraps(function)
    def around(*arguments, **named):
        began = time.perf_counter()
        result = function(*arguments, **named)
        SPENT[phase] = SPENT.get(phase, 0.0) + time.perf_counter() - began
        MARKS[phase] = time.perf_counter()
        return result

    return around


def first_training_pass(function: Callable) -> Callable:
    """The moment at which optimisation begins: the first forward pass that keeps gradients."""

    @functools.wraps(function)
    def around(*arguments, **named):
        if torch.is_grad_enabled():
            MARKS.setdefault("training", time.perf_counter())
        return function(*arguments, **named)

    return around


class Clock(TrainerCallback):
    def __init__(self) -> None:
        self.updates: list[dict[str, float]] = []
        self.scores: list[float] = []

    def on_log(self, *_, logs: dict[str, float], **__) -> None:
        if "objective/scores" in logs:
            self.scores.append(logs["objective/scores"])

    def on_train_begin(self, *_, **__) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__) -> None:
        now = time.perf_counter()
        self.updates.append(
            {
                "update": now - self.began,
                "sampling": SPENT["sampling"],
                "scoring": MARKS["training"] - MARKS["sampling"],
                "optimisation": now - MARKS["training"],
            }
        )
        SPENT["sampling"] = 0.0
        MARKS.clear()
        self.began = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=("ppo", "lora", "learning"))
    parser.add_argument("material", type=Path)
    parser.add_argument("--seed", type=int, default=CASES["seed"])
    parser.add_argument("--model", type=Path, help="folder of the policy for the LoRA case")
    arguments = parser.parse_args()
    case = CASES[arguments.case]
    torch.set_num_threads(CASES["threads"])
    torch.manual_seed(arguments.seed)
    lora = arguments.case == "lora"
    names = ("writer", "judge") if arguments.case == "learning" else ("policy", "reward")
    policy_at, judge_at = (arguments.model if lora else arguments.material / name for name in names)
    tokenizer = AutoTokenizer.from_pretrained(policy_at, padding_side="left")
    if tokenizer.pad_token is None or tokenizer.pad_token_id == tokenizer.eos_token_id:
        tokenizer.pad_token = "<|endoftext|>"
    how = {"dtype": torch.float32, "attn_implementation": "eager"}  # tuned: SDPA is slow backwards in bfloat16
    policy = AutoModelForCausalLM.from_pretrained(policy_at, **how)
    reference = None if lora else AutoModelForCausalLM.from_pretrained(policy_at, **how)
    reward, value = (
        AutoModelForSequenceClassification.from_pretrained(judge_at, num_labels=1, **how) for _ in range(2)
    )
    for model in (policy, reward, value):
        model.config.pad_token_id = tokenizer.pad_token_id
    adapters = None
    if lora:
        from peft import LoraConfig

        adapters = LoraConfig(
            r=case["rank"], lora_alpha=case["alpha"], target_modules=case["targets"], task_type="CAUSAL_LM"
        )
        tokens = [id % len(tokenizer) for id in torch.load(arguments.material / "tokens.pt").tolist()]
    else:
        tokens = torch.load(arguments.material / "tokens.pt").tolist()
    batch = case["rollout_batch"]
    rows = queries(tokens, batch * (case["updates"] + 1), case["prompt_tokens"])
    config = PPOConfig(
        output_dir=str(arguments.material / "out"),
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        seed=arguments.seed,
        save_strategy="no",
        eval_strategy="no",
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=1,
        num_mini_batches=case["minibatches"],
        num_ppo_epochs=case["epochs"],
        total_episodes=batch * case["updates"],
        response_length=case["response_tokens"],
        temperature=case["temperature"],
        kl_coef=case["kl_coef"],
        learning_rate=case["learning_rate"],
        lr_scheduler_type="constant",
        adam_epsilon=1e-5,
        stop_token=None,
        num_sample_generations=0,
        local_rollout_forward_batch_size=64,
        logging_steps=1,
    )
    trainer_module.batch_generation = timed(trainer_module.batch_generation, "sampling")
    trainer_module.forward = first_training_pass(trainer_module.forward)
    clock = Clock()
    PPOTrainer(
        args=config,
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=reward,
        value_model=value,
        train_dataset=Dataset.from_dict({"input_ids": rows}),
        callbacks=[clock],
        peft_config=adapters,
    ).train()
    kept = clock.updates[1:]
    found = {name: statistics.median(one[name] for one in kept) for name in kept[0]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found | {"peak_mb": peak, "scores": clock.scores}))


main()
