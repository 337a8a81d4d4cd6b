"""What another process has collected, as if it had been collected here."""

from __future__ import annotations

import collections
from collections.abc import Sequence

import pytest

from pytest_tfkernel.plugin.isolation import reports
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


def collect(session: pytest.Session, nursery: Nursery) -> Sequence[pytest.Item]:
    """Stand-ins for the tests of a session. Raises pytest.UsageError."""
    hook = session.config.hook
    try:
        found = nursery.collect()
    except CannotBeginError as error:
        raise pytest.UsageError(str(error)) from None
    for nodeid, post_mortem in found.deaths:
        longrepr = reports.described(post_mortem)
        hook.pytest_collectreport(report=pytest.CollectReport(nodeid, "failed", longrepr, []))
    for told in found.told:
        _replay(session, told)
    counts: collections.Counter[str] = collections.Counter()
    session.items = []
    for told in found.tests:
        session.items.append(StandIn.of(session, told, counts[told["nodeid"]]))
        counts[told["nodeid"]] += 1
    hook.pytest_collection_finish(session=session)
    session.testscollected = len(session.items)
    return session.items


def _replay(session: pytest.Session, told: Message) -> None:
    config = session.config
    if told["kind"] == "collectreport":
        report = reports.told(config, told)
        # Some count what was collected.
        report.result = [StandIn.of(session, test, 0) for test in told["tests"]]
        config.hook.pytest_collectreport(report=report)
    elif told["kind"] == "warning":
        reports.warning(config, told)
    elif told["kind"] == "deselected":
        config.hook.pytest_deselected(items=[_Deselected(nodeid) for nodeid in told["ids"]])
    elif told["kind"] == "usage":
        raise pytest.UsageError(*told["lines"])
    elif told["kind"] == "internal":
        raise pytest.UsageError(f"pytest failed in the process that collects: {told['text']}")


class _Deselected:
    """Of a test that isn't run, pytest wants to know that it is there."""

    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid
