"""How pytest presents a session, as its processes have to know it: with colours or without, for which JUnit."""

from __future__ import annotations

from typing import Any

import pytest


def options_of(config: pytest.Config) -> dict[str, Any]:
    """Options that differ from those on the command line."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    # What they write has no terminal to ask.
    return {"color": "yes"} if reporter is not None and reporter.hasmarkup else {}


def family_of(config: pytest.Config) -> str | None:
    """That of the JUnit report which this session writes; None when it writes none."""
    plugin = config.pluginmanager.get_plugin("junitxml")
    xml = config.stash.get(plugin.xml_key, None) if plugin is not None else None
    return None if xml is None else str(xml.family)
