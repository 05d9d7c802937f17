"""What the picture of gradients through time is made of. Importing this costs nothing: no torch."""

from typing import Literal

from pydantic import Field

from core.anatomy.race_config import Kind
from core.config import Config

LONGEST = 400
MARKS = (10, 50, 200)  # distances at which numbers are given


class FlowConfig(Config):
    """Four untrained networks of one width on the same random tokens, and where the loss is measured."""

    width: int = Field(32, ge=4, le=128, multiple_of=4, description="numbers in a state, and in a token's embedding")
    length: int = Field(240, ge=10, le=LONGEST, description="tokens in the sequence; the loss is at the last one")
    spectral_radius: float = Field(0.8, ge=0.0, le=2.0, description="largest eigenvalue magnitude of the RNN's W_h")
    recurrent: Literal["orthogonal", "gaussian"] = Field(
        "orthogonal", description="the RNN's W_h before it is scaled: a random rotation, or independent normal entries"
    )
    input_gain: float = Field(0.1, ge=0.0, le=2.0, description="how strongly a token drives the RNN (scale of W_x)")
    forget_bias: float = Field(3.0, ge=-6.0, le=10.0, description="bias of the LSTM's forget gate")
    seeds: int = Field(5, ge=1, le=20, description="networks of each kind, each with its own weights and tokens")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes weights and tokens")

    def relevant(self, kind: Kind) -> "FlowConfig":
        """This config with every setting that `kind` does not look at put back to its default."""
        own = {"rnn": {"spectral_radius", "recurrent", "input_gain"}, "lstm": {"forget_bias"}}.get(kind, set())
        shared = {"width", "length", "seeds", "seed"}
        return FlowConfig(**{name: value for name, value in self if name in own | shared})
