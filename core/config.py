"""What every configuration is: frozen, bounded, described; command line, widgets and validation come from it."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import PlaygroundError


class Config(BaseModel):
    """Every field has a default, bounds and a description with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def checked(cls, **values: Any) -> Self:
        """The config from `values`, or one readable PlaygroundError naming the first wrong field."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or cls.__name__
            message = first["msg"][0].lower() + first["msg"][1:]
            raise PlaygroundError(f"{field[:100]}: {message[:300]} (given: {_shown(first['input'])})") from None


def _shown(value: Any) -> str:
    """`value` as Python writes it, its beginning where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of 5,000 digits, a list a thousand deep
        text = f"a {type(value).__name__}"
    return text if len(text) <= 200 else text[:199] + "…"
