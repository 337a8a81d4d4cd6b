"""What a process of tests tells beside reports: warnings, what it adds to JUnit, and what it writes on the terminal."""

from __future__ import annotations

from typing import NoReturn

import pytest

from pytest_tfkernel.plugin.isolation import reports
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


def pass_on(config: pytest.Config, told: Message, item: pytest.Item | None = None) -> None:
    """Do with it what pytest would have done; `item` is the test that was running. Of other messages, nothing."""
    if told["kind"] == "warning":
        reports.warning(config, told)
    elif told["kind"] == "written":
        _write(config, told)
    elif told["kind"] in ("attribute", "property"):
        _record(config, told, item)


def flush(config: pytest.Config) -> None:
    """Let what was told be on the terminal before what the process prints there next."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.flush()


def interrupt(told: Message) -> NoReturn:
    """Raise KeyboardInterrupt, where the test has raised it: pytest names the place, or says what the session did."""
    if isinstance(told.get("words"), str):
        raise pytest.Session.Interrupted(told["words"])
    path, line = told.get("place") or (__file__, 1)
    # A frame of that file and line, and nothing of it runs.
    exec(compile("\n" * (line - 1) + "raise KeyboardInterrupt", path, "exec"), {})  # noqa: S102
    raise KeyboardInterrupt


def at(item: pytest.Item) -> Message:
    """The same of a test that didn't say where it was: it is named by the line where it begins."""
    return {"kind": "interrupted", "place": [str(item.path), (item.location[1] or 0) + 1]}


def _write(config: pytest.Config, told: Message) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    if told["text"] is None:
        reporter.ensure_newline()
    else:
        reporter.write(told["text"], flush=True)


def _record(config: pytest.Config, told: Message, item: pytest.Item | None) -> None:
    plugin = config.pluginmanager.get_plugin("junitxml")
    xml = config.stash.get(plugin.xml_key, None) if plugin is not None else None
    if xml is None:
        return
    if told["kind"] == "property":
        xml.add_global_property(told["name"], told["value"])
    elif item is not None:
        # Newer ones know a test by more than its text.
        xml.node_reporter(getattr(item, "id", item.nodeid)).add_attribute(told["name"], told["value"])
