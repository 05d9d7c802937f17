"""Which families of models go through the whole loop: `python benchmarks/families.py [NAME …]`.

Of each a tiny one with random weights and the storyteller's tokens: it writes, Sunny votes, a reward model on its trunk
learns, PPO tunes it, all is measured; whole and through adapters, its critic on its trunk and on one of its own. What
is left behind is opened with plain transformers. Prints what happened a line each, or the sentence that refused it.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import torch
import transformers as hf
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedModel

from core.alignment.configs import LoopConfig, LoopPPOConfig
from core.alignment.loop import run_loop
from core.errors import PlaygroundError
from core.language.registry import load_tokenizer

ENDS = {"eos_token_id": 0, "bos_token_id": 0, "pad_token_id": 1}
GPT = {"vocab_size": 4096, "n_embd": 32, "n_layer": 2, "n_head": 4, **ENDS}
PLAIN = {
    **{"vocab_size": 4096, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4},
    **{"max_position_embeddings": 128, **ENDS},
}
LLAMA = {**PLAIN, "intermediate_size": 64, "num_key_value_heads": 2}
NEO = {"vocab_size": 4096, "hidden_size": 32, "num_layers": 2, "num_heads": 4, "max_position_embeddings": 128, **ENDS}
LOCAL = {"head_dim": 8, "sliding_window": 8}  # every second layer, or all but some, see the last tokens alone

FAMILIES: dict[str, Callable[[], PreTrainedModel]] = {
    "gpt2": lambda: hf.GPT2LMHeadModel(hf.GPT2Config(n_positions=128, **GPT)),
    "gptj": lambda: hf.GPTJForCausalLM(hf.GPTJConfig(n_positions=128, rotary_dim=4, **GPT)),
    "gpt_neo": lambda: hf.GPTNeoForCausalLM(hf.GPTNeoConfig(attention_types=[[["global", "local"], 1]], **NEO)),
    "gpt_neox": lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(intermediate_size=64, **PLAIN)),
    "opt": lambda: hf.OPTForCausalLM(hf.OPTConfig(ffn_dim=64, word_embed_proj_dim=16, **PLAIN)),
    "bloom": lambda: hf.BloomForCausalLM(hf.BloomConfig(vocab_size=4096, hidden_size=32, n_layer=2, n_head=4, **ENDS)),
    "falcon": lambda: hf.FalconForCausalLM(hf.FalconConfig(**PLAIN)),
    "llama": lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**LLAMA)),
    "mistral": lambda: hf.MistralForCausalLM(hf.MistralConfig(sliding_window=8, **LLAMA)),
    "mixtral": lambda: hf.MixtralForCausalLM(hf.MixtralConfig(num_local_experts=2, **LLAMA)),
    "qwen2": lambda: hf.Qwen2ForCausalLM(hf.Qwen2Config(**LLAMA)),
    "qwen3": lambda: hf.Qwen3ForCausalLM(hf.Qwen3Config(head_dim=8, **LLAMA)),
    "gemma": lambda: hf.GemmaForCausalLM(hf.GemmaConfig(head_dim=8, **LLAMA)),
    "gemma2": lambda: hf.Gemma2ForCausalLM(hf.Gemma2Config(**LOCAL, **LLAMA)),
    "gemma3": lambda: hf.Gemma3ForCausalLM(hf.Gemma3TextConfig(**LOCAL, **LLAMA)),
    "phi": lambda: hf.PhiForCausalLM(hf.PhiConfig(intermediate_size=64, **PLAIN)),
    "phi3": lambda: hf.Phi3ForCausalLM(hf.Phi3Config(**LLAMA)),
    "olmo2": lambda: hf.Olmo2ForCausalLM(hf.Olmo2Config(**LLAMA)),
    "stablelm": lambda: hf.StableLmForCausalLM(hf.StableLmConfig(**LLAMA)),
    "starcoder2": lambda: hf.Starcoder2ForCausalLM(hf.Starcoder2Config(**LLAMA)),
    "smollm3": lambda: hf.SmolLM3ForCausalLM(hf.SmolLM3Config(**LLAMA)),
    "granite": lambda: hf.GraniteForCausalLM(hf.GraniteConfig(**LLAMA)),
    "cohere": lambda: hf.CohereForCausalLM(hf.CohereConfig(**LLAMA)),
    "mamba": lambda: hf.MambaForCausalLM(hf.MambaConfig(vocab_size=4096, hidden_size=32, num_hidden_layers=2, **ENDS)),
}
WAYS = [(adapted, critic) for adapted in (False, True) for critic in ("shared", "separate")]


def through_the_loop(model: Path, folder: Path, adapted: bool, critic: str) -> float:
    """Run the loop in small; the KL that PPO spent. What it left opens in plain transformers."""
    ppo = LoopPPOConfig(updates=3, rollout_batch=8, minibatches=2, max_new_tokens=8, value_model=critic)
    config = LoopConfig(
        model=str(model), prompts="stories", pairs=16, evaluation_prompts=4, evaluation_pairs=50, ppo=ppo
    )
    large_from = 1 if adapted else 10**12  # weights from which a model is tuned through adapters
    with patch("core.language.adapters.LORA_FROM", large_from), patch("core.alignment.stages.LORA_FROM", large_from):
        *_, last = run_loop(config, folder)
    AutoModelForCausalLM.from_pretrained(folder / "policy")
    AutoModelForSequenceClassification.from_pretrained(folder / "reward_model")
    assert last.result is not None
    return float(last.result["kl"])


def told(name: str, folder: Path) -> Iterator[str]:
    """A line for each way; one line where the family is refused."""
    torch.manual_seed(0)
    FAMILIES[name]().save_pretrained(folder / "model")
    load_tokenizer("storyteller").save_pretrained(folder / "model")
    for adapted, critic in WAYS:
        began = time.monotonic()
        try:
            kl = through_the_loop(folder / "model", folder / f"{adapted}-{critic}", adapted, critic)
        except PlaygroundError as error:
            yield f"{name:<12} refused: {str(error).replace(str(folder / 'model'), name)}"
            return
        how = "adapters" if adapted else "whole"
        yield f"{name:<12} {how:<9} critic {critic:<9} KL {kl:8.5f} nats   {time.monotonic() - began:4.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=list(FAMILIES), help="some of them (default: all)")
    hf.utils.logging.disable_progress_bar()
    for name in parser.parse_args().families:
        with tempfile.TemporaryDirectory() as folder:
            for line in told(name, Path(folder)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
