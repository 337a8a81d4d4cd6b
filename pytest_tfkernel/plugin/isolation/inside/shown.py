"""How a report looks whose representation is more than text, and would be no more than text on its way."""

from __future__ import annotations

import io
from typing import Any

import pytest


def shown(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport, data: dict[str, Any]) -> str | None:
    """What a terminal is to show of it, with colours where it has some; None where pytest carries it as it is."""
    longrepr: Any = report.longrepr
    if not isinstance(data.get("longrepr"), str) or not hasattr(longrepr, "toterminal"):
        return None
    if config.pluginmanager.get_plugin("terminalreporter") is None:
        return f"{longrepr}\n"
    like = config.get_terminal_writer()
    file = io.StringIO()
    writer = type(like)(file)
    writer.hasmarkup = like.hasmarkup
    longrepr.toterminal(writer)
    return file.getvalue()
