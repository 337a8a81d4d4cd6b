"""Options that would do nothing are refused: who requires a GPU must not believe that it was looked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_tfkernel.plugin.asked import Options

# What is asked for on the command line; that of an ini file is for the sessions to which it applies.
_OF_THE_SUITE = ("size", "require", "allow")
_OF_KERNELS = ("provisioner", "python", "kernelspec")
_NAME = "tfkernel-unheeded"
_FIXTURES = "tfkernel"


def refuse(config: pytest.Config, options: Options) -> None:
    """Raise UsageError for one that is for the suite only, and have what was collected looked at for the others."""
    if options.suite:
        return
    for name, given in _given(config, _OF_THE_SUITE):
        raise pytest.UsageError(
            f"--tfkernel-{name}={given} is for the suite, and that isn't run: add --tfkernel, or leave it out"
        )
    # Tests that run in other processes aren't known to this one.
    apart = options.isolate != "off" or config.getoption("numprocesses", None)
    if not apart and _given(config, _OF_KERNELS):
        config.pluginmanager.register(_Unheeded(config), _NAME)


class _Unheeded:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: Sequence[pytest.Item]) -> None:
        """Before any is deselected. Files that can't be collected are another error, and may hold such tests."""
        asks = (name for item in items for name in getattr(item, "fixturenames", ()))
        if session.testsfailed or not items or any(name.startswith(_FIXTURES) for name in asks):
            return
        name, given = _given(self._config, _OF_KERNELS)[0]
        raise pytest.UsageError(
            f"--tfkernel-{name}={given} is for kernels, and no test here asks for one:"
            " add --tfkernel for the suite, or leave it out"
        )


def _given(config: pytest.Config, names: Sequence[str]) -> list[tuple[str, str]]:
    """Each with its first value."""
    found = [(name, config.getoption(f"--tfkernel-{name}")) for name in names]
    return [(name, given if isinstance(given, str) else given[0]) for name, given in found if given]
