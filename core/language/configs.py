"""Configurations of sampling and pre-training. Importing this costs nothing: no torch."""

from typing import Self

from pydantic import Field, model_validator

from core.config import Config

LORA_FROM = 50_000_000  # parameters: smaller models are trained whole, larger ones through low-rank adapters


class SamplingConfig(Config):
    """How responses are drawn from a policy."""

    temperature: float = Field(
        1.0, ge=0.05, le=5.0, description="divides the logits: below 1 bolder, above 1 more varied"
    )
    top_k: int = Field(0, ge=0, le=1000, description="keep only the k likeliest tokens (0: all)")
    top_p: float = Field(
        1.0, gt=0.0, le=1.0, description="keep the smallest set of tokens with this much probability (1: all)"
    )
    max_new_tokens: int = Field(32, ge=1, le=1024, description="longest response, in tokens")
    stop_at_end: bool = Field(True, description="whether a response stops at the policy's end token")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="same seed, same responses")
    batch_size: int = Field(
        64, ge=1, le=512, description="responses drawn together, in rows (changes speed, never the text)"
    )


class PretrainConfig(Config):
    """The recipe. The defaults made the bundled storyteller."""

    n_layer: int = Field(6, ge=1, le=48, description="transformer blocks")
    n_embd: int = Field(256, ge=16, le=4096, description="width of the residual stream")
    n_head: int = Field(8, ge=1, le=64, description="attention heads a block")
    vocab_size: int = Field(4096, ge=300, le=100_000, description="tokens in the byte-level BPE")
    context: int = Field(256, ge=32, le=4096, description="longest sequence, in tokens")
    steps: int = Field(2000, ge=1, description="optimiser steps in all")
    batch_tokens: int = Field(4096, ge=64, description="tokens an optimiser step")
    short_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the steps trained on rows of half the context: cheaper, and most is learnt there",
    )
    aligned_share: float = Field(
        0.5, ge=0, le=1, description="share of the rows that begin where a story begins; the others begin anywhere"
    )
    matrix_lr: float = Field(
        0.02, gt=0, description="Muon's learning rate, for the matrices of the blocks (spectral norm of a step)"
    )
    vector_lr: float = Field(3e-3, gt=0, description="Adam's learning rate, for embeddings, norms and biases")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay of the matrices")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout in embeddings and residual branches")
    warmup_steps: int = Field(100, ge=0, description="steps over which the learning rates rise from zero")
    cooldown_share: float = Field(
        0.4, ge=0, le=1, description="share of the steps, at the end, over which they fall to zero"
    )
    grad_clip: float = Field(1.0, gt=0, description="largest gradient norm of Adam's parameters")
    seed: int = Field(0, ge=0, description="fixes the initial weights and the order of the data")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.n_embd % self.n_head:
            raise ValueError(f"n_embd is shared out among the heads: {self.n_embd} is no multiple of {self.n_head}")
        return self

    def lr_scale(self, step: int) -> float:
        """Warm-up, plateau, linear cool-down: what the two learning rates are multiplied by at `step`.

        The plateau is what lets an interrupted run be given more steps and still be the run it would have been.
        """
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        cooldown = self.cooldown_share * self.steps
        return min(1.0, (self.steps - step) / cooldown) if cooldown else 1.0
