"""TRL's RewardTrainer on the reward case, timed from outside. Run by `benchmarks/beside_peer.py`, TRL on the path.

Prints one JSON object: pairs per second by the median step, and the last logged accuracy.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from datasets import Dataset
from material import CASES, preference_ids
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl import RewardConfig, RewardTrainer


class Clock(TrainerCallback):
    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_step_begin(self, *_, **__) -> None:
        self.began = time.perf_counter()

    def on_step_end(self, *_, **__) -> None:
        self.seconds.append(time.perf_counter() - self.began)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("material", type=Path)
    parser.add_argument("--bf16", action="store_true")
    arguments = parser.parse_args()
    case = CASES["reward"]
    torch.set_num_threads(CASES["threads"])
    torch.manual_seed(CASES["seed"])
    folder = arguments.material / "reward"
    pairs = preference_ids(torch.load(arguments.material / "tokens.pt").tolist())
    columns = {"chosen_ids": [c for c, _ in pairs], "rejected_ids": [r for _, r in pairs]}
    config = RewardConfig(
        output_dir=str(arguments.material / "out"),
        use_cpu=True,
        bf16=arguments.bf16,
        gradient_checkpointing=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="no",
        seed=CASES["seed"],
        per_device_train_batch_size=case["batch_pairs"],
        num_train_epochs=case["epochs"],
        logging_steps=10,
        learning_rate=case["learning_rate"],
    )
    clock = Clock()
    trainer = RewardTrainer(
        model=AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, dtype=torch.float32, attn_implementation="eager"
        ),
        args=config,
        train_dataset=Dataset.from_dict(columns),
        processing_class=AutoTokenizer.from_pretrained(folder),
        callbacks=[clock],
    )
    trainer.train()
    logged = [one["accuracy"] for one in trainer.state.log_history if "accuracy" in one]
    median = statistics.median(clock.seconds[2:])
    print(json.dumps({"pairs_per_second": case["batch_pairs"] / median, "accuracy": logged[-1] if logged else None}))


main()
