"""What a drawing of a reward model's loss is made of. No torch."""

from typing import Literal

from pydantic import Field

from core.config import Config


class SurfaceConfig(Config):
    """The loss of a trained reward model around its own path."""

    run: str = Field(description="the reward or loop run whose model it is; it must have kept weights on the way")
    plane: Literal["path", "random"] = Field(
        "path", description="path: where its own weights moved most; random: two random directions, filter-normalised"
    )
    points: Literal[13, 25, 49] = Field(25, description="points a side")
    pairs: int = Field(64, ge=0, le=100_000, description="training pairs the loss is the mean of (0: all of them)")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="fixes the random directions")
    exact: bool = Field(False, description="float32 for the grid too, where bfloat16 would be faster")
