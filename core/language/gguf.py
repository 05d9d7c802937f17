"""From a GGUF file, llama.cpp's format, to a Hugging Face folder: SmolLM2's tokenizer, any Llama's weights."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import PlaygroundError
from core.language.hub import Progress

PAD_TOKEN = (
    "<empty_output>"  # a special token of code notebooks; the model's own choice, its end token, would hide the end
)
OUTER_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
BLOCK_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def convert(source: Path, folder: Path, on_progress: Progress | None = None) -> None:
    """Write the Llama model in the GGUF file `source` as a Hugging Face folder: config, tokenizer, safetensors.

    Weights are dequantised to float32: nothing is left to convert when they load, and processes that only read them
    share the file's pages in memory.
    Raises PlaygroundError when the file holds another architecture.
    """
    from gguf import GGUFReader
    from gguf.quants import dequantize
    from safetensors.numpy import save_file

    report = on_progress or (lambda share, text: None)
    report(0.0, "reading the GGUF file")
    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    if fields.get("general.architecture") != "llama":
        raise PlaygroundError(f"{source} holds a {fields.get('general.architecture')} model: only Llama is converted")
    heads = {"attn_q": fields["llama.attention.head_count"], "attn_k": fields["llama.attention.head_count_kv"]}
    weights = {}
    for number, tensor in enumerate(reader.tensors, 1):
        values = dequantize(tensor.data, tensor.tensor_type)
        part = tensor.name.split(".")[-2]
        if part in heads:
            values = _unpermute(values, heads[part])
        weights[_hf_name(tensor.name)] = np.ascontiguousarray(values, dtype=np.float32)
        report(0.3 + 0.5 * number / len(reader.tensors), "converting the weights, once")
    folder.mkdir(parents=True)
    config = _config(fields, tied="lm_head.weight" not in weights)
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    ends = {name: config[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    (folder / "generation_config.json").write_text(json.dumps(ends, indent=2), encoding="utf-8")
    report(0.8, "writing the tokenizer")
    _tokenizer(fields).save_pretrained(str(folder))
    report(0.9, "writing the weights")
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    report(1.0, "converted")


def _hf_name(name: str) -> str:
    """transformers' name of llama.cpp's tensor `name`."""
    if block := re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name):
        return f"model.layers.{block[1]}.{BLOCK_NAMES[block[2]]}.weight"
    return OUTER_NAMES[name]


def _unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Undo llama.cpp's order of the rows: it rotates neighbours (0, 1), transformers halves (0, size/2). [out, in]"""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _config(fields: dict[str, Any], tied: bool) -> dict[str, Any]:
    """The file's own figures under transformers' names."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "hidden_size": fields["llama.embedding_length"],
        "intermediate_size": fields["llama.feed_forward_length"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_attention_heads": fields["llama.attention.head_count"],
        "num_key_value_heads": fields["llama.attention.head_count_kv"],
        "max_position_embeddings": fields["llama.context_length"],
        "rms_norm_eps": float(fields["llama.attention.layer_norm_rms_epsilon"]),
        "rope_theta": float(fields["llama.rope.freq_base"]),
        "hidden_act": "silu",
        "tie_word_embeddings": tied,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "pad_token_id": fields["tokenizer.ggml.tokens"].index(PAD_TOKEN),
        "dtype": "float32",
    }


def _tokenizer(fields: dict[str, Any]) -> Any:
    """SmolLM2's byte-level BPE. It reads numbers digit by digit, which transformers' own reader of GGUF leaves out."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [(left, right) for left, _, right in (merge.partition(" ") for merge in fields["tokenizer.ggml.merges"])]
    bpe = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=merges))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    control = 3  # llama.cpp's token type
    types = fields["tokenizer.ggml.token_type"]
    bpe.add_special_tokens(
        [
            AddedToken(t, special=True, normalized=False)
            for t, kind in zip(tokens, types, strict=True)
            if kind == control
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=tokens[fields["tokenizer.ggml.bos_token_id"]],
        eos_token=tokens[fields["tokenizer.ggml.eos_token_id"]],
        unk_token=tokens[fields["tokenizer.ggml.unknown_token_id"]],
        pad_token=PAD_TOKEN,
        padding_side="left",
        model_max_length=fields["llama.context_length"],
        chat_template=fields["tokenizer.chat_template"],
    )
