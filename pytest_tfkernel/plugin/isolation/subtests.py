"""What pytest keeps of subtests in the process that runs them, and needs where it tells of them."""

from __future__ import annotations

from typing import Any

import pytest

_CONTEXT = "_subtest.context"


def count(config: pytest.Config, report: Any) -> int:
    """How many of those in a test have failed so far that make the test fail, too."""
    kept = _kept(config)
    return max(kept.get(name, 0) for name in _names(report))


def retell(config: pytest.Config, report: Any, data: dict[str, Any], failed: int) -> None:
    """Make a report, and what pytest keeps of its test, as they are in the process that ran it."""
    context = data.get(_CONTEXT)
    if isinstance(context, dict):
        # They are shown as text already, and making a report of them shows that text once more.
        report.context.kwargs.update(context["kwargs"])
    if failed:
        _kept(config).update(dict.fromkeys(_names(report), failed))


def _kept(config: pytest.Config) -> dict[object, int]:
    key = getattr(config.pluginmanager.get_plugin("subtests"), "failed_subtests_key", None)
    return {} if key is None else config.stash.get(key, {})


def _names(report: Any) -> tuple[object, ...]:
    # Newer ones know a test by more than its text.
    return report.nodeid, getattr(report, "id", report.nodeid)
