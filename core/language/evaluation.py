"""How well a language model predicts text: bits per byte."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase


@torch.no_grad()
def bits_per_byte(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    context: int | None = None,
    batch_size: int = 16,
    on_progress: Callable[[int, int], None] | None = None,
) -> float:
    """Mean code length of `texts` under `model`: Σ −log₂ p(token | everything before it in its text) / Σ UTF-8 bytes.

    Each text starts from the beginning-of-text token alone. A text longer than `context` is read in windows that
    overlap by half, so that past the first window a token sees at least context/2 tokens. The end token is not scored.
    Comparable between tokenizers, which a loss per token is not.
    """
    context = context or min(getattr(model.config, "max_position_embeddings", 1024), 1024)
    windows = []  # (ids, how many leading targets were scored by the window before)
    start_token = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    for text in texts:
        ids = [start_token, *tokenizer(text, add_special_tokens=False, truncation=False)["input_ids"]]
        scored = 0  # the target at position i + 1 is predicted from ids[: i + 1]
        for begin in range(0, max(1, len(ids) - 1), context // 2):
            window = ids[begin : begin + context + 1]
            windows.append((window, scored - begin))
            scored = begin + len(window) - 1
            if scored >= len(ids) - 1:
                break
    windows.sort(key=lambda item: len(item[0]))
    was_training = model.training
    model.eval()
    total = 0.0
    for first in range(0, len(windows), batch_size):
        batch = windows[first : first + batch_size]
        longest = max(len(ids) for ids, _ in batch)
        inputs = torch.zeros(len(batch), longest, dtype=torch.long, device=model.device)
        weights = torch.zeros(len(batch), longest - 1, device=model.device)
        for row, (ids, skip) in enumerate(batch):
            inputs[row, : len(ids)] = torch.tensor(ids)
            weights[row, skip : len(ids) - 1] = 1.0
        logits = model(inputs[:, :-1], use_cache=False).logits.float()  # right padding: causal attention never sees it
        nll = F.cross_entropy(logits.transpose(1, 2), inputs[:, 1:], reduction="none")
        total += (nll * weights).sum().item()
        if on_progress:
            on_progress(min(first + batch_size, len(windows)), len(windows))
    model.train(was_training)
    return total / math.log(2) / sum(len(text.encode()) for text in texts)
