"""Fill the fields of dataclasses with the values of options."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from types import MemberDescriptorType
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from fetcher.cli.group import GroupedOption
from fetcher.cli.values import Value

Filled = TypeVar("Filled")

# The later ones override the earlier ones. Defaults are not among them: the dataclass has its own.
_SOURCES = (ParameterSource.DEFAULT_MAP, ParameterSource.ENVIRONMENT, ParameterSource.COMMANDLINE)


class FieldOption(GroupedOption):
    """An option that fills the field `to` of a slotted dataclass, such as `Limits.per_host`.

    `to` may be a tuple of fields: then the value is a tuple with one value for each. A flag sets its field to `means`.
    The default is that of the field, and the help shows it. `local` options concern one machine, not a cluster.
    """

    def __init__(self, *names: str, group: str, to: Any, means: Any = True, local: bool = False,
                 **attributes: Any) -> None:
        self.to: tuple[Any, ...] = to if isinstance(to, tuple) else (to,)
        self.means = means
        self.local = local
        for field in self.to:
            if not isinstance(field, MemberDescriptorType):
                raise TypeError(f"{names[-1]} has no slot to fill: {field!r}")
        if not attributes.get("is_flag") and "default" not in attributes and len(self.to) == 1:
            attributes.update(_default(self.to[0], attributes.get("type")))
        super().__init__(names, group=group, **attributes)

    def values(self, value: Any) -> Iterable[tuple[Any, Any]]:
        """Return pairs of the fields that `value` fills, and their values."""
        if len(self.to) > 1:
            return zip(self.to, value, strict=True)
        if self.is_flag and self.means is not True:
            return [(self.to[0], self.means)] if value else []
        return [(self.to[0], value)]


def given(context: click.Context) -> dict[Any, Any]:
    """Return the fields that the command line, the environment and the configuration fill, with their values.

    Raises click.UsageError if two options of the same source fill the same field.
    """
    found: dict[Any, Any] = {}
    for source in _SOURCES:
        filled_by: dict[Any, FieldOption] = {}
        for option in context.command.params:
            if isinstance(option, FieldOption) and context.get_parameter_source(str(option.name)) is source:
                for field, value in option.values(context.params[str(option.name)]):
                    other = filled_by.setdefault(field, option)
                    if other is not option:
                        raise click.UsageError(f"{other.opts[-1]} and {option.opts[-1]} cannot be combined; choose "
                                               "one.", context)
                    found[field] = value
    return found


def filled(default: Filled, values: Mapping[Any, Any]) -> Filled:
    """Return the dataclass `default` with its fields set to `values`, and those of nested dataclasses, too."""
    changes = {}
    for field in fields(default):       # type: ignore[arg-type]
        slot = getattr(type(default), field.name)
        before = getattr(default, field.name)
        if slot in values:
            changes[field.name] = values[slot]
        elif is_dataclass(before):
            changes[field.name] = filled(before, values)
    return replace(default, **changes) if changes else default      # type: ignore[type-var]


def _default(slot: Any, type: Any) -> dict[str, Any]:
    """Return click's attributes for the default: it is given as it would be typed, and shown if there is one."""
    (default,) = (field.default for field in fields(slot.__objclass__) if field.name == slot.__name__)
    if default is MISSING or not default:
        return {}
    text = type.typed(default) if isinstance(type, Value) else default
    return {"default": text, "show_default": True}
