"""Reports that are too long to be told."""

from __future__ import annotations

import pytest

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_KEPT = 1 << 20


def cut_output(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Keep the end of what was printed."""
    report.sections = [(name, _end(text)) for name, text in report.sections]


def cut_all(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Keep the end of each other part, too."""
    if report.longrepr is not None and not isinstance(report.longrepr, tuple):
        report.longrepr = _end(str(report.longrepr))
    if isinstance(report, pytest.TestReport):
        report.user_properties = [
            (name, _end(one) if isinstance(one, str) else one) for name, one in report.user_properties
        ]


def _end(text: str) -> str:
    if len(text) <= _KEPT:
        return text
    return f"({len(text) - _KEPT} characters before this were cut)\n{text[-_KEPT:]}"
