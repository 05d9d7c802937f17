"""Widgets made from a config's fields: bounds, description and default come from the config, nothing is said twice."""

import math
from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import streamlit as st
from pydantic.fields import FieldInfo

from core.config import Config

_RULES = {"ge": "from {:,}", "gt": "above {:,}", "le": "to {:,}", "lt": "below {:,}"}
_SMALL = 0.01  # below this, a decimal point hides the digits that matter


def config_form(
    config: Config,
    names: Iterable[str],
    *,
    prefix: str,
    labels: dict[str, str] | None = None,
    unset: bool = False,
) -> dict[str, Any]:
    """A widget for each field in `names`; returns their values, for `type(config).checked(**values)` to check again.

    Args:
        config: gives the defaults.
        names: the fields, in the order shown.
        prefix: of the widgets' keys, which are also the names in the URL: `prefix_field`.
        labels: words for a field that read better than its name.
        unset: numbers are empty until they are set, with the default shown pale, and then not among the values: for
            defaults that depend on another choice.
    """
    values = {}
    for name in names:
        label = (labels or {}).get(name, name.replace("_", " "))
        field, default = type(config).model_fields[name], getattr(config, name)
        value = _widget(label, field, default, f"{prefix}_{name}", unset)
        if value is not None or not unset:
            values[name] = value
    return values


def other_fields(config: Config, shown: Iterable[str], hidden: Iterable[str] = ()) -> list[str]:
    """The fields for the "more" popover: all that are neither shown beside the figure nor hidden."""
    return [name for name in type(config).model_fields if name not in {*shown, *hidden}]


def described(config: type[Config], name: str) -> tuple[str, str]:
    """What a field does, and the values it takes, in words: for tables beside the widgets."""
    field = config.model_fields[name]
    kind, optional = _plain(field.annotation)
    if kind is bool:
        return field.description or "", "on or off"
    if get_origin(kind) is Literal:
        return field.description or "", " or ".join(get_args(kind))
    rules = {end: getattr(rule, end) for rule in field.metadata for end in _RULES if hasattr(rule, end)}
    words = " ".join(form.format(rules[end]) for end, form in _RULES.items() if end in rules)
    return field.description or "", words + (", or none" if optional else "")


def _widget(label: str, field: FieldInfo, default: Any, key: str, unset: bool) -> Any:
    kind, optional = _plain(field.annotation)
    common = {"key": key, "help": field.description, "bind": "query-params"}
    if kind is bool:
        return st.toggle(label, value=default, **common)
    if get_origin(kind) is Literal:
        return st.segmented_control(label, get_args(kind), default=default, required=True, **common)
    if kind not in (int, float):
        raise TypeError(f"No widget for a field of type {kind}")
    low, high = _bounds(field)
    cast = kind if kind is int else float
    return st.number_input(
        label,
        min_value=None if low is None else cast(low),
        max_value=None if high is None else cast(high),
        value=None if unset else default,
        step=1 if kind is int else _step(default),
        format="%d" if kind is int else _format(default),
        placeholder=_shown(default) if unset else "none" if optional else None,
        **common,
    )


def _shown(default: float | None) -> str:
    return "none" if default is None else f"{default:,}" if isinstance(default, int) else f"{default:g}"


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without `| None`, and whether there was one."""
    if get_origin(annotation) in (UnionType, Union):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return kinds[0], len(kinds) < len(get_args(annotation))
    return annotation, False


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    """Lowest and highest value; an open bound is given as closed, the config refuses it."""
    low = high = None
    for rule in field.metadata:
        if isinstance(rule, annotated_types.Ge | annotated_types.Gt):
            low = rule.ge if isinstance(rule, annotated_types.Ge) else rule.gt
        if isinstance(rule, annotated_types.Le | annotated_types.Lt):
            high = rule.le if isinstance(rule, annotated_types.Le) else rule.lt
    return low, high


def _step(default: float | None) -> float:
    """One unit of the default's leading digit."""
    return 10.0 ** math.floor(math.log10(default)) if default else 0.1


def _format(default: float | None) -> str:
    return "%.1e" if default and default < _SMALL else "%g"
