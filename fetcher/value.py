"""Decorators for classes of plain values: dataclasses that are cheap to define, or to create.

`dataclasses` compiles the source of each method of each class at every start: a tenth of a second for all classes of a
run. The methods here are shared by all classes. `fields`, `replace` and `asdict` work as with other dataclasses.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inspect import Signature

    from typing_extensions import dataclass_transform
else:
    def dataclass_transform(**_attributes: Any) -> Any:
        return lambda decorate: decorate


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: Any) -> Any:
    """Make `cls` a slotted dataclass with a hash, for values that are created many times. mypy treats it as frozen.

    Nothing may change an instance. Not enforcing that at run time saves an eighth of the CPU time of a request.
    """
    return _compared(dataclass(slots=True, repr=False, eq=False)(cls))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Any) -> Any:
    """Make `cls` what `dataclass(frozen=True, slots=True)` makes of it, for values that are created a few times."""
    made = _compared(dataclass(slots=True, init=False, repr=False, eq=False)(cls))
    made.__init__ = _init
    made.__signature__ = _SignatureOfFields()
    made.__setattr__ = made.__delattr__ = _refuse
    made.__reduce__ = _reduce
    return made


def _compared(cls: Any) -> Any:
    """Give `cls` a repr, equality and a hash, which go by its fields."""
    fields = cls.__dataclass_fields__.values()
    compared = _values_of([each.name for each in fields if each.compare])
    hashed = _values_of([each.name for each in fields if (each.compare if each.hash is None else each.hash)])

    def equal(self: Any, other: object) -> Any:
        return compared(self) == compared(other) if type(other) is type(self) else NotImplemented

    cls.__eq__ = equal
    cls.__hash__ = lambda self: hash(hashed(self))
    cls.__repr__ = _repr
    return cls


def _values_of(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in self.__dataclass_fields__.values() if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _init(self: Any, *args: Any, **given: Any) -> None:
    fields = self.__dataclass_fields__
    if len(args) > len(fields):
        raise TypeError(f"{type(self).__name__}() takes at most {len(fields)} arguments, not {len(args)}")
    for name, argument in zip(fields, args):
        if name in given:
            raise TypeError(f"{type(self).__name__}() got several values for {name!r}")
        given[name] = argument
    for name, each in fields.items():
        if name in given:
            argument = given.pop(name)
        elif each.default is not MISSING:
            argument = each.default
        elif each.default_factory is not MISSING:
            argument = each.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}() needs a value for {name!r}")
        object.__setattr__(self, name, argument)
    if given:
        raise TypeError(f"{type(self).__name__}() has no field {next(iter(given))!r}")
    if hasattr(self, "__post_init__"):
        self.__post_init__()


def _refuse(self: Any, name: str, *_value: Any) -> None:
    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def _reduce(self: Any) -> tuple[Any, tuple[Any, ...]]:
    """For pickle and copy."""
    return type(self), tuple(getattr(self, name) for name in self.__dataclass_fields__)


class _SignatureOfFields:
    """What `help` and `inspect.signature` show of a class: its fields. Made when it is asked for."""

    def __get__(self, instance: object, owner: Any) -> Signature:
        from inspect import Parameter, Signature

        return Signature([Parameter(each.name, Parameter.POSITIONAL_OR_KEYWORD, annotation=each.type,
                                    default=_shown_default(each))
                          for each in owner.__dataclass_fields__.values()])


def _shown_default(each: Any) -> Any:
    from inspect import Parameter

    if each.default is not MISSING:
        return each.default
    return Parameter.empty if each.default_factory is MISSING else each.default_factory
