"""What a class of plain values is: a dataclass that costs next to nothing to make."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:
    def dataclass_transform(**_attributes: Any) -> Any:
        return lambda decorate: decorate


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: Any) -> Any:
    """A slotted dataclass with a hash that mypy holds to be frozen.

    Nothing changes one; that Python does not enforce it saves an eighth of the CPU time of a request.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
