"""What is seen in a trial, noted as it comes, and frozen at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Recorder(Generic[P, T]):
    """Notes the fields of one frozen record by their names; what was not noted has its default.

    `make` is the record's class, or that with its first fields given.
    """

    def __init__(self, make: Callable[P, T]) -> None:
        self._make: Callable[..., T] = make
        self._noted: dict[str, Any] = {}

    def note(self, *_: P.args, **seen: P.kwargs) -> None:
        """Note what was seen, by name; what had been noted under that name is replaced."""
        self._noted |= seen

    def freeze(self) -> T:
        """The record of all that has been noted so far. Raises TypeError where it has no such field, or lacks one."""
        return self._make(**self._noted)
