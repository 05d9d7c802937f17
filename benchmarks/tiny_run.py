"""A PPO run small enough to be killed, looped and watched for long: the real trainer, a policy of random weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.runs.jobs import PPOJob
    from core.runs.store import RunStore

PROMPTS = ["Once upon a time, a cat", "One day, a dog named Rex", "The sun was hot.", 'She said, "I like']


def tiny_ppo(folder: Path, updates: int = 60) -> "PPOJob":
    """The job; its policy, reward model and prompts are made in `folder`."""
    import torch
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel
    from transformers.utils.logging import disable_progress_bar

    from core.alignment.configs import PPOConfig
    from core.alignment.reward_folders import save_reward_model
    from core.alignment.reward_model import Normalisation, new_reward_model
    from core.language.registry import STORYTELLER
    from core.runs.jobs import PPOJob

    disable_progress_bar()
    policy, reward, prompts = folder / "tiny", folder / "judge", folder / "prompts.txt"
    torch.manual_seed(0)
    shape = {"vocab_size": 4096, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0, pad_token_id=1, initializer_range=0.3))
    tokenizer = AutoTokenizer.from_pretrained(STORYTELLER)
    model.save_pretrained(policy)
    tokenizer.save_pretrained(policy)
    judge = new_reward_model(model, tokenizer)
    torch.nn.init.normal_(judge.score.weight, generator=torch.Generator().manual_seed(0))
    save_reward_model(judge, tokenizer, Normalisation(0.2, 1.5, "tiny"), reward)
    prompts.write_text("\n".join(PROMPTS), encoding="utf-8")
    ppo = PPOConfig(
        updates=updates, rollout_batch=4, max_new_tokens=6, minibatches=2, learning_rate=3e-4, weights_every=5
    )
    return PPOJob(model=str(policy), reward_model=str(reward), prompts=str(prompts), ppo=ppo)


def curve(store: "RunStore", run_id: str) -> list[tuple[Any, ...]]:
    """Every number of every step but the clock's, and every text that was shown."""
    clock = ("time/", "eps", "seconds")
    return [
        (s.number, {k: v for k, v in s.metrics.items() if not k.startswith(clock)}, store.samples(run_id, s.number))
        for s in store.steps(run_id)
    ]
