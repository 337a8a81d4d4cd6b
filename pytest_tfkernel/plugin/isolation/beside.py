"""What of a session runs in pytest's own process, beside tests that run in others."""

from __future__ import annotations

import pytest

from pytest_tfkernel.plugin.isolation import selection
from pytest_tfkernel.plugin.isolation.expected import MARKER as DIES
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.wishes import MARKER

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Those of pytest that tear down what tests here have set up, and capture what that prints.
_TEARDOWN = ("runner", "capturemanager")


def is_isolated(item: pytest.Item) -> bool:
    """Whether another process runs it."""
    return isinstance(item, StandIn) or item.get_closest_marker(MARKER) is not None


def debugger(config: pytest.Config) -> str | None:
    """The option by which a person is asked in a test, which is to run where that person is."""
    names = {"usepdb": "--pdb", "trace": "--trace"}
    return next((option for name, option in names.items() if config.getoption(name, default=False)), None)


def of_suite(session: pytest.Session) -> list[pytest.Item]:
    """The items of our suite, if that runs, with those left out that nobody chose."""
    suite = session.config.pluginmanager.get_plugin("tfkernel-suite")
    if suite is None:
        return []
    collector = suite.collector(session)
    items = [item for item in session.genitems(collector) if isinstance(item, pytest.Item)]
    selection.choose_here(session, items)
    return items


def tear_down(item: pytest.Item, following: pytest.Item | None) -> str:
    """What tests have set up here, and the following one doesn't need: pytest does that where it runs one itself.

    What went wrong, if anything did.
    """
    manager = item.config.pluginmanager
    plugins = [manager.get_plugin(name) for name in _TEARDOWN]
    others = [plugin for plugin in manager.get_plugins() if plugin not in plugins]
    hook = manager.subset_hook_caller("pytest_runtest_teardown", others)
    exits = (pytest.exit.Exception, KeyboardInterrupt)
    call = pytest.CallInfo.from_call(lambda: hook(item=item, nextitem=following), "teardown", reraise=exits)
    if call.excinfo is None:
        return ""
    # Plugins that make reports expect a test that they have seen set up here.
    report = pytest.TestReport.from_item_and_call(item, call)
    what = f"what tests in pytest's own process have set up can't be torn down: {call.excinfo.exconly()}"
    return "\n".join([what, report.longreprtext, *(f"--- {title}\n{text}" for title, text in report.sections)])


def keep_alive(item: pytest.Item) -> None:
    """Have a test that is meant to end its process fail, before anything of it runs here."""
    if item.get_closest_marker(DIES) is not None:
        item.setup = _refuse  # type: ignore[method-assign]
        # There is nothing of it to be torn down, which that of unittest takes for granted.
        item.teardown = _leave  # type: ignore[method-assign]


def _leave() -> None:
    """Nothing was set up."""


def _refuse() -> None:
    # pytest says how many frames it leaves out, if all are.
    __tracebackhide__ = False
    pytest.fail(
        f"marked {DIES}, this test would end pytest itself, and was not run: mark it {MARKER}, too, or use"
        " --tfkernel-isolate, and no --pdb or --trace",
        pytrace=False,
    )
