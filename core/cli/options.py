"""Options made from config classes: names, bounds, defaults and descriptions are written down once, in the config."""

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import click
from pydantic.fields import FieldInfo

from core.config import Config

_METAVARS = {int: "INT", float: "FLOAT", str: "TEXT"}  # the range stands behind the description already

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def options_of(config: type[Config], leave_out: frozenset[str] = frozenset()) -> Decorator:
    """A decorator that gives a command an option for every field of `config` and of the configs inside it.

    A single config inside is offered under its fields' own names; of several, each field is offered behind its
    config's name (`--reward-epochs`, `--ppo-updates`), and not at all where the outer config has a field of that name,
    which then holds for all (`--seed`).
    """
    fields = [f for f in _fields(config) if f[0] not in leave_out]

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for parameter, _, field in reversed(fields):
            command = _option(parameter, field)(command)
        return command

    return decorate


def values_of(config: type[Config], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values for `config(**values)` among a command's parameters, put back inside the configs they belong to."""
    values: dict[str, Any] = {}
    for parameter, (*outer, name), _ in _fields(config):
        if parameter in given:
            target = values
            for part in outer:
                target = target.setdefault(part, {})
            target[name] = given[parameter]
    return values


def _fields(config: type[Config]) -> Iterator[tuple[str, tuple[str, ...], FieldInfo]]:
    """The name of the parameter, the path of the field, the field."""
    inner = {name: field.annotation for name, field in config.model_fields.items() if _is_config(field.annotation)}
    for name, field in config.model_fields.items():
        if name not in inner:
            yield name, (name,), field
    for name, annotation in inner.items():
        for inner_name, field in annotation.model_fields.items():  # type: ignore[union-attr]
            if inner_name not in config.model_fields:
                yield inner_name if len(inner) == 1 else f"{name}_{inner_name}", (name, inner_name), field


def _is_config(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Config)


def _option(parameter: str, field: FieldInfo) -> Decorator:
    kind, optional = _without_none(field.annotation)
    name = "--" + parameter.replace("_", "-")
    settings: dict[str, Any] = {"help": field.description}
    if field.is_required():
        settings["required"] = True
    else:
        settings |= {
            "default": field.get_default(call_default_factory=True),
            "show_default": "none" if optional else field.default not in ("", ()),
        }
    if kind is bool:
        return click.option(f"{name}/--no-{name[2:]}", parameter, **settings)
    if get_origin(kind) is tuple:
        settings |= {"help": f"{field.description}; again for each more", "show_default": bool(settings.get("default"))}
        return click.option(name, parameter, multiple=True, type=str, **settings)
    if kind in _METAVARS:
        settings["metavar"] = _METAVARS[kind]
    return click.option(name, parameter, type=_type(kind, field), **settings)


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def _type(kind: Any, field: FieldInfo) -> click.ParamType | type:
    if get_origin(kind) is Literal:
        return click.Choice([str(choice) for choice in get_args(kind)])
    if kind not in (int, float):
        return str
    bounds: dict[str, Any] = {}
    for rule in field.metadata:
        match rule:
            case annotated_types.Ge():
                bounds["min"] = rule.ge
            case annotated_types.Gt():
                bounds |= {"min": rule.gt, "min_open": True}
            case annotated_types.Le():
                bounds["max"] = rule.le
            case annotated_types.Lt():
                bounds |= {"max": rule.lt, "max_open": True}
    if kind is int:
        return click.IntRange(**bounds)
    return click.FloatRange(**bounds)
