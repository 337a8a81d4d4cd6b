"""Descriptors of pytest's own process that grow in number and are not released: told at the end, and no test's leak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from pytest_tfkernel.model.resources import printable

# Fewer are what modules keep that a test is the first to import.
_MANY = 16
_MOST_NAMED = 5
# pytest puts others in their place, again and again.
_STANDARD = {"0", "1", "2"}


class Descriptors:
    """Those that were open at the end of the turn in which they were opened, with whose turn that was."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], str] = {}

    def note(self, fresh: Mapping[str, str], handles: Mapping[str, str], owner: str) -> None:
        """Of all `handles` (what they lead to, by number) these have come in the turn of `owner`; "" is nobody."""
        if not fresh:
            return
        opened = {**self._opened, **dict.fromkeys(fresh.items(), owner)}
        self._opened = {one: opened[one] for one in handles.items() if one in opened}

    def lines(self, handles: Mapping[str, str]) -> Iterator[str]:
        """What a person is told of those that are open still."""
        opened = {one: self._opened.get(one) for one in handles.items() if one[0] not in _STANDARD}
        left = {one: owner for one, owner in opened.items() if owner}
        if len(left) < _MANY:
            return
        (target, _), *_ = Counter(target for _, target in left).most_common(1)
        owners = Counter(left.values()).most_common()
        named = ", ".join(f"{owner} ({count})" for owner, count in owners[:_MOST_NAMED])
        more = f" and {len(owners) - _MOST_NAMED} more" if len(owners) > _MOST_NAMED else ""
        words = f"tests have opened {len(left)} descriptors in pytest's process that nobody has closed"
        yield printable(f"{words}, such as {target}; they were opened in {named}{more}")
