"""What stands in pytest's own process for a test that is collected, and run, in another one."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from pytest_tfkernel.plugin.isolation import codec, conftests
from pytest_tfkernel.processes.wire import Message


class StandIn(pytest.Item):
    """Has the id, the place and the marks of a test. `nth` counts those before it that have the same id."""

    def __init__(self, *, told: Message, nth: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nth = nth
        self._place = codec.decode(told["location"])
        self.own_markers.extend(_marks(told["marks"]))
        self.keywords.update(dict.fromkeys(told["keywords"], True))
        vars(self).update(_more(codec.decode(told["more"])))

    @classmethod
    def of(cls, session: pytest.Session, told: Message, nth: int) -> StandIn:
        """The one for a test that was told of."""
        made: StandIn = cls.from_parent(
            session, name=told["name"], nodeid=told["nodeid"], path=Path(told["path"]), told=told, nth=nth
        )
        return made

    def __getattr__(self, name: str) -> NoReturn:
        """What else a test has, such as its instance, is not here."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise AttributeError(f"another process has collected {self.nodeid}: {name!r} of it is not in pytest's own")

    @property
    def ihook(self) -> Any:
        """Pytest's own knows only folders that it has collected."""
        return conftests.hooks_of(self.config, self.path.parent)

    @property
    def location(self) -> tuple[str, int | None, str]:
        """As it was told."""
        found: tuple[str, int | None, str] = self._place
        return found

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """The same, as pytest asks for it."""
        return self.path, self._place[1], self._place[2]

    def runtest(self) -> NoReturn:
        """Nobody runs it here."""
        raise AssertionError("a test that is isolated runs in another process")


def key_of(item: pytest.Item) -> list[object]:
    """By which the process that runs a test finds it."""
    return [item.nodeid, item.nth if isinstance(item, StandIn) else 0]


class Named:
    """Stands for a function, a class or a module, of which another process has told no more than this."""

    def __init__(self, name: object, words: object) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = words if isinstance(words, str) else None


def _more(told: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """The attributes that a function has and other items have not."""
    if not told:
        return
    objects = {name: Named(*told[name]) if name in told else None for name in ("module", "cls", "function")}
    yield from objects.items()
    yield from {"obj": objects["function"], "funcargs": {}}.items()
    yield from {name: told[name] for name in ("originalname", "fixturenames")}.items()
    if "callspec" in told:
        yield "callspec", SimpleNamespace(**told["callspec"])


def _marks(told: list[list[Any]]) -> Iterator[pytest.Mark]:
    """Those of a test, but for what only the conftest.py of a folder has declared, which isn't read here."""
    for name, args, kwargs in told:
        with warnings.catch_warnings(), contextlib.suppress(pytest.fail.Exception, pytest.PytestUnknownMarkWarning):
            warnings.simplefilter("error", pytest.PytestUnknownMarkWarning)
            yield getattr(pytest.mark, name).with_args(*codec.decode(args), **codec.decode(kwargs)).mark
