"""Ids of tests that pytest-xdist keeps together: a worker of `--dist loadgroup` puts the group at their end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_MARKER = "xdist_group"


class Groups:
    """Has ids end as they do in pytest's own process, if that is such a worker."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, Any, Any]:
        """Have it done when a worker would: after the conftest.py files that are read by then."""
        config.option.loadgroup = True
        config.pluginmanager.register(_Suffixes())
        return (yield)


class _Suffixes:
    @pytest.hookimpl
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Change them as pytest-xdist does, which changes nothing from pytest 9.2 on."""
        for item in items:
            names = {str(_name(mark)) for mark in item.iter_markers(_MARKER)}
            if names:
                item._nodeid = f"{item.nodeid}@{'_'.join(sorted(names))}"  # type: ignore[attr-defined]  # noqa: SLF001


def _name(mark: pytest.Mark) -> object:
    return mark.args[0] if mark.args else mark.kwargs.get("name", "default")
