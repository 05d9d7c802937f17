"""The text of the scripts that `trl_scripts` writes: <names> are filled in there."""

_ADAPTERS = '''
def adapters():
    """Low-rank adapters on query and value projections, where the run had them."""
    if LORA is None:
        return None
    from peft import LoraConfig

    return LoraConfig(**LORA)
'''

REWARD = f'''"""A reward model with TRL, as in the run <run>: pip install trl peft; python reward.py

<notes>
"""

from pathlib import Path

import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RewardConfig, RewardTrainer

HERE = Path(__file__).resolve().parent
HELDOUT = <eval>
SETTINGS = <settings>
LORA = <lora>

{_ADAPTERS}

def read(name):
    return load_dataset("json", data_files=str(HERE / name), split="train")


def main():
    tokenizer = AutoTokenizer.from_pretrained(HERE / "model", padding_side="right")
    model = AutoModelForSequenceClassification.from_pretrained(
        HERE / "model",
        num_labels=1,
        problem_type="regression",
        pad_token_id=tokenizer.pad_token_id,
        dtype=torch.float32,
    )
    torch.nn.init.zeros_(model.score.weight)
    trainer = RewardTrainer(
        model=model,
        args=RewardConfig(output_dir=str(HERE / "reward_trained"), **SETTINGS),
        train_dataset=read("preferences.jsonl"),
        eval_dataset=read(HELDOUT) if HELDOUT else None,
        processing_class=tokenizer,
        peft_config=adapters(),
    )
    trainer.train()
    trainer.save_model()


if __name__ == "__main__":
    main()
'''

DPO = f'''"""Direct preference optimisation with TRL on the votes of the run <run>: pip install trl peft; python dpo.py

<notes>
"""

from pathlib import Path

from datasets import load_dataset
from transformers import AutoTokenizer
from trl import DPOConfig, DPOTrainer

HERE = Path(__file__).resolve().parent
SETTINGS = <settings>
LORA = <lora>

{_ADAPTERS}

def main():
    trainer = DPOTrainer(
        model=str(HERE / "model"),
        args=DPOConfig(output_dir=str(HERE / "dpo_trained"), **SETTINGS),
        train_dataset=load_dataset("json", data_files=str(HERE / "preferences.jsonl"), split="train"),
        processing_class=AutoTokenizer.from_pretrained(HERE / "model"),
        peft_config=adapters(),
    )
    trainer.train()
    trainer.save_model()


if __name__ == "__main__":
    main()
'''

RLOO = f'''"""RLOO with TRL, with the settings of the PPO run <run>: pip install trl peft; python rloo.py

<notes>
"""

from pathlib import Path

import torch
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from trl import RLOOConfig, RLOOTrainer

HERE = Path(__file__).resolve().parent
SETTINGS = <settings>
LORA = <lora>
MEAN, SD = <mean>, <sd>  # of the reward model's scores on the reference policy's samples

{_ADAPTERS}

class Judge:
    """The reward model's score of prompt + completion, normalised: what the run was paid in."""

    __name__ = "reward_model"

    def __init__(self):
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(HERE / "reward_model", padding_side="right")
        self.model = AutoModelForSequenceClassification.from_pretrained(
            HERE / "reward_model", num_labels=1, dtype=torch.float32
        ).to(device).eval()

    @torch.no_grad()
    def __call__(self, prompts, completions, **_):
        texts = [prompt + completion for prompt, completion in zip(prompts, completions, strict=True)]
        batch = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.model.device)
        return ((self.model(**batch).logits[:, 0] - MEAN) / SD).tolist()


def main():
    trainer = RLOOTrainer(
        model=str(HERE / "model"),
        reward_funcs=Judge(),
        args=RLOOConfig(output_dir=str(HERE / "rloo_trained"), **SETTINGS),
        train_dataset=load_dataset("json", data_files=str(HERE / "prompts.jsonl"), split="train"),
        processing_class=AutoTokenizer.from_pretrained(HERE / "model", padding_side="left"),
        peft_config=adapters(),
    )
    trainer.train()
    trainer.save_model()


if __name__ == "__main__":
    main()
'''
