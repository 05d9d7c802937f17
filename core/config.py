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
            raise PlaygroundError(f"{field}: {message} (given: {first['input']!r})") from None
