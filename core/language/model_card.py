"""The card of a model that was pre-trained here: what it was made from, how well it predicts, how it writes."""

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from core.language.configs import SamplingConfig
from core.language.sampling import sample

SAMPLES = SamplingConfig(temperature=0.8, max_new_tokens=80, seed=0)
OPENINGS = (
    *("Once upon a time, there was a", "One day, a little girl named Mia", "Tom and his sister", "The old dog"),
    *("In a small house by the sea,", "Ben was very sad because", '"Look!" said the bird. "', "It was raining, so"),
    *("A frog wanted to", "Lily had a secret."),
)


def model_card(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    recipe: Mapping[str, Any],
    name: str,
    data: str,
    licence: str,
) -> str:
    """A Hugging Face model card in Markdown, with twenty samples as they came: ten openings, two draws each.

    `recipe` is what `run_pretraining` leaves in recipe.json; `data` and `licence` say where the text came from and
    under what terms this model is given.
    """
    length = min(SAMPLES.max_new_tokens, recipe["config"]["context"] // 2)
    sampling = SAMPLES.model_copy(update={"max_new_tokens": length})
    rollout = sample(model, tokenizer, [opening for opening in OPENINGS for _ in range(2)], sampling)
    written = "\n".join(
        f"{number}. **{prompt}**{response.replace(chr(10), ' ⏎ ')}"
        for number, (prompt, response) in enumerate(zip(rollout.prompts, rollout.responses, strict=True), 1)
    )
    config = recipe["config"]
    rows = "\n".join(f"| {field} | {value} |" for field, value in config.items())
    measured = recipe["bits_per_byte_heldout"]
    figure = "not measured: no text was held out" if measured is None else f"**{measured:.3f} bits per byte**"
    header = {"library_name": "transformers", "pipeline_tag": "text-generation", "language": "en", "license": licence}
    front = "\n".join(f"{key}: {value}" for key, value in header.items())
    return f"""---
{front}
---

# {name}

A GPT-2 of {model.num_parameters() / 1e6:.2f} million parameters ({config["n_layer"]} blocks, width {config["n_embd"]},
{config["n_head"]} heads, context {config["context"]}), with a byte-level BPE of {config["vocab_size"]} tokens of its
own (end token {tokenizer.eos_token_id}, pad token {tokenizer.pad_token_id}), trained from random weights.
The weights are stored in float16 and meant to be used in float32.

## Data

{data}

Held out: every document of which the first eight hex digits of the SHA-256 of its lower-cased words, joined by single
spaces, are divisible by 20; {recipe["stories_heldout"]} documents. Trained on the other
{recipe["stories_train"]}, which are {recipe["tokens_in_data"]:,} tokens.

## How well it predicts

{figure[0].upper() + figure[1:]} on the held-out documents, each read from its first token in a context of
{config["context"]} (longer ones in windows that overlap by half; the end token is not counted).

## Recipe

`python -m core pretrain`: Muon for the matrices of the blocks, AdamW for embeddings, norms and biases; warm-up,
plateau, linear cool-down; rows of half the context first. Seed {config["seed"]}. The folder
`after_1_percent` has the weights after the first hundredth of the steps, to look back at.

| field | value |
|---|---|
{rows}

## Limits

It tells short stories of simple words, knows nothing of the world, forgets what it said, and mixes up names. It was
made to be looked into and trained further in a lesson on RLHF, and for nothing else. Its prompts should be openings of
stories.

## Twenty samples

Temperature {SAMPLES.temperature}, seed {SAMPLES.seed}, at most {length} tokens, none left out. The
opening given is bold; ⏎ is a new line.

{written}
"""
