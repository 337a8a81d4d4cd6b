"""What another process has collected, as if it had been collected here."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence

import pytest

from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.isolation import beside, deaths, relaying, reports, selection
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


class CannotCollectError(TFKernelError):
    """The tests of a session can't be collected in another process."""


def collect(session: pytest.Session, begin: Callable[[], Nursery]) -> Sequence[pytest.Item]:
    """Stand-ins for the tests of a session, from the nursery that is begun. Raises pytest.UsageError."""
    hook = session.config.hook
    _forget_conftest(session.config)
    session.items = []
    warned: list[Message] = []
    try:
        found = begin().collect()
        for nodeid, death in found.deaths:
            longrepr = deaths.described(death, deaths.COLLECTION)
            hook.pytest_collectreport(report=pytest.CollectReport(nodeid, "failed", longrepr, []))
        for told in found.told:
            if told["kind"] == "warning":
                # pytest tells of them when all is collected.
                warned.append(told)
            else:
                _replay(session, told)
        _take(session, found.tests)
        session.items.extend(beside.of_suite(session))
        selection.choose(session, found.told)
    except TFKernelError as error:
        _give_up(session, str(error))
    except DiedError as error:
        _give_up(session, deaths.described(error.death, deaths.COLLECTION))
    finally:
        hook.pytest_collection_finish(session=session)
        for told in warned:
            _replay(session, told)
    session.testscollected = len(session.items)
    return session.items


def _give_up(session: pytest.Session, words: str) -> None:
    """Raise pytest.UsageError; in a worker of pytest-xdist, where nobody reads that, tell of an error."""
    if not workers.is_worker(session.config):
        raise pytest.UsageError(words) from None
    session.config.hook.pytest_collectreport(report=pytest.CollectReport("", "failed", words, []))


def _take(session: pytest.Session, tests: Sequence[Message]) -> None:
    counts: collections.Counter[str] = collections.Counter()
    for told in tests:
        session.items.append(StandIn.of(session, told, counts[told["nodeid"]]))
        counts[told["nodeid"]] += 1


def _forget_conftest(config: pytest.Config) -> None:
    """Drop what conftest.py files have printed: it belongs to the first collector, which is in another process."""
    manager = config.pluginmanager.get_plugin("capturemanager")
    if manager is not None and manager.is_globally_capturing():
        manager.read_global_capture()


def _replay(session: pytest.Session, told: Message) -> None:
    config = session.config
    if told["kind"] == "collectreport":
        try:
            report = reports.told(config, told)
        except reports.UnreadableError as error:
            raise CannotCollectError(f"what was collected can't be told: {error}") from None
        # Some count what was collected.
        report.result = [StandIn.of(session, test, 0) for test in told["tests"]]
        config.hook.pytest_collectreport(report=report)
    elif told["kind"] == "deselected":
        config.hook.pytest_deselected(items=[StandIn.of(session, test, 0) for test in told["tests"]])
    elif told["kind"] == "usage":
        raise pytest.UsageError(*told["lines"])
    elif told["kind"] == "exit":
        pytest.exit(told["reason"], told["returncode"])
    elif told["kind"] == "interrupted":
        relaying.interrupt(told)
    elif told["kind"] == "internal":
        raise CannotCollectError(f"pytest failed in the process that collects: {told['text']}")
    else:
        relaying.pass_on(config, told)
