"""What processes of isolation must do otherwise for the sake of other plugins, and what of it a person is told."""

from __future__ import annotations

from typing import Any

import pytest

# Its measuring is for one process that lives through all benchmarks: in a worker of pytest-xdist it is off, too.
_BENCHMARK = "benchmark"


def options_of(config: pytest.Config) -> dict[str, Any]:
    """Options that processes of tests have, whatever the command line says."""
    found: dict[str, Any] = {}
    if hasattr(config.option, "benchmark_disable"):
        found |= {"benchmark_disable": True, "benchmark_enable": False}
    if getattr(config.option, "loadgroup", False):
        found["loadgroup"] = True
    return found


def header(config: pytest.Config) -> list[str]:
    """Lines for a person who has asked for what isolated tests can't have."""
    option = config.option
    measures = (
        config.pluginmanager.has_plugin(_BENCHMARK)
        and not getattr(option, "benchmark_skip", True)
        and (getattr(option, "benchmark_enable", False) or not getattr(option, "benchmark_disable", True))
    )
    return ["tfkernel isolation: benchmarks run once each, and are not measured"] if measures else []
