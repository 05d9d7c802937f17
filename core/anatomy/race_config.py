"""What a race of four networks is made of. Importing this costs nothing: no torch."""

from typing import Literal

from pydantic import Field

from core.config import Config

Kind = Literal["rnn", "lstm", "gru", "transformer"]
KINDS: tuple[Kind, ...] = ("rnn", "lstm", "gru", "transformer")
SWEPT_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # the learning rates that were tried for every network
SWEPT_DISTANCES = (10, 50, 200)
SWEPT_SEED = 100  # none of those that are raced afterwards
FARTHEST = 200  # tokens back: the position table of the transformer ends here


class RaceConfig(Config):
    """Four networks learn to recall the token seen `distance` steps ago, each with its own tuned learning rate."""

    distance: int = Field(50, ge=1, le=FARTHEST, description="k: how many steps ago the wanted token was seen")
    steps: int = Field(400, ge=1, le=20_000, description="optimiser steps of each network")
    batch: int = Field(32, ge=1, le=1024, description="sequences an optimiser step, fresh ones each time")
    vocabulary: int = Field(8, ge=2, le=256, description="different tokens; guessing is right 1 time in this many")
    parameters: int = Field(
        20_000, ge=4_000, le=1_000_000, description="weights each network may have; widths are chosen to come closest"
    )
    rnn_lr: float = Field(3e-3, gt=0, le=1, description="Adam's learning rate of the RNN")
    lstm_lr: float = Field(1e-2, gt=0, le=1, description="Adam's learning rate of the LSTM")
    gru_lr: float = Field(3e-2, gt=0, le=1, description="Adam's learning rate of the GRU")
    transformer_lr: float = Field(1e-2, gt=0, le=1, description="Adam's learning rate of the transformer")
    spectral_radius: float = Field(
        1.0, ge=0.0, le=2.0, description="of every recurrent matrix at the start: an orthogonal matrix times this"
    )
    forget_bias: float = Field(1.0, ge=-10, le=10, description="bias of the LSTM's forget gate at the start")
    positions: bool = Field(True, description="whether the transformer's tokens are told apart by learned positions")
    grad_clip: float = Field(1.0, gt=0, description="largest gradient norm of a step, for every network")
    measure_every: int = Field(10, ge=1, le=1000, description="optimiser steps between measurements, one record each")
    heldout: int = Field(256, ge=1, le=10_000, description="fresh sequences a measurement is made on")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the initial weights and every sequence")

    def learning_rate(self, kind: Kind) -> float:
        """Adam's learning rate of one network."""
        return float(getattr(self, f"{kind}_lr"))
