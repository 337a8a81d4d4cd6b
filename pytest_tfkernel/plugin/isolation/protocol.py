"""The hook that runs a test: where another process runs it, plugins hear of that there, and not here as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import beside

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_HOOK = "pytest_runtest_protocol"


class Protocol:
    """Stands for pytest's caller of that hook. Who runs isolated ones answers None where one has to run here."""

    def __init__(self, caller: Any, run: Callable[[pytest.Item, pytest.Item | None], bool | None]) -> None:
        self._caller = caller
        self._run = run

    def __call__(self, *, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        """Run one, with no plugin around it where it is isolated: it is no test that they could look at."""
        if beside.is_isolated(item) and (ran := self._run(item, nextitem)) is not None:
            return ran
        return self._caller(item=item, nextitem=nextitem)

    def __getattr__(self, name: str) -> Any:
        """All else is pytest's."""
        return getattr(self._caller, name)


def take_over(config: pytest.Config, run: Callable[[pytest.Item, pytest.Item | None], bool | None]) -> None:
    """Let these be run so until the session ends, by whoever calls the hook: pytest, or pytest-xdist in a worker."""
    caller = getattr(config.hook, _HOOK)
    setattr(config.hook, _HOOK, Protocol(caller, run))
    config.add_cleanup(lambda: setattr(config.hook, _HOOK, caller))
