"""Running tests in processes of their own, one after the other."""

from __future__ import annotations

import contextlib

import pytest

from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.plugin.isolation import reports, wishes
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.items import StandIn
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer
from pytest_tfkernel.plugin.isolation.wishes import Wishes
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_LAST = ("ran", "missing", "exit", "interrupted")
_DEATH = "died of something else than its end"


class Runner:
    """Gives each test its process. One at a time lives on, for the next test of the same file."""

    def __init__(self, config: pytest.Config, nursery: Nursery, mode: str) -> None:
        self._config = config
        self._nursery = nursery
        self._mode = mode
        self._peer: Peer | None = None
        self._belongs: tuple[str, Wishes] | None = None
        # The report of a teardown that may be the process's last.
        self._held: tuple[StandIn, pytest.TestReport] | None = None

    def run(self, item: StandIn, following: StandIn | None) -> None:
        """One test, with all of its reports."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        is_last = following is None or not self._share(item, following)
        try:
            told = self._run(item, None if is_last else following)
        except KeyboardInterrupt:
            if self._peer is not None:
                self._peer.interrupt()
            raise
        if is_last:
            self._end()
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if told is not None:
            self._obey(item, told)

    def close(self) -> None:
        """End the process that may be left."""
        with contextlib.suppress(CannotBeginError):
            self._end()

    def _wishes(self, item: StandIn) -> Wishes:
        """Raises CannotBeginError for a marker that is written wrongly."""
        try:
            return wishes.of(item, self._mode) or Wishes()
        except ValueError as error:
            raise CannotBeginError(str(error)) from None

    def _share(self, item: StandIn, other: StandIn) -> bool:
        try:
            one, two = self._wishes(item), self._wishes(other)
        except CannotBeginError:
            return False
        return one.per == "file" and (item.path, one) == (other.path, two)

    def _run(self, item: StandIn, following: StandIn | None) -> Message | None:
        """What its process has told at the end of it; None when the process has died."""
        last: pytest.TestReport | None = None
        try:
            wanted = self._wishes(item)
            peer = self._peer_for(item, wanted)
            peer.send({"kind": "run", "test": item.key, "next": following.key if following is not None else None})
            for told in peer.told(_LAST, wanted.timeout):
                if told["kind"] == "report":
                    last = reports.told(self._config, told)
                    self._log(item, last)
                elif told["kind"] == "warning":
                    reports.warning(self._config, told)
                elif told["kind"] == "missing":
                    self._log(item, reports.failed(item, reports.MISSING))
        except DiedError as error:
            self._died(item, last, error.post_mortem)
            return None
        except CannotBeginError as error:
            self._log(item, reports.failed(item, str(error)))
            return None
        return told

    def _peer_for(self, item: StandIn, wanted: Wishes) -> Peer:
        belongs = str(item.path), wanted
        if self._peer is None or self._belongs != belongs:
            self._end()
            self._peer, _ = self._nursery.process(*belongs)
            self._belongs = belongs
        return self._peer

    def _log(self, item: StandIn, report: pytest.TestReport) -> None:
        self._release()
        if report.when == "teardown":
            self._held = item, report
        else:
            item.ihook.pytest_runtest_logreport(report=report)

    def _release(self) -> None:
        """Tell the report that was held back."""
        if self._held is not None:
            item, report = self._held
            self._held = None
            item.ihook.pytest_runtest_logreport(report=report)

    def _died(self, item: StandIn, last: pytest.TestReport | None, post_mortem: PostMortem) -> None:
        peer, self._peer = self._peer, None
        output = ("", "")
        if peer is not None:
            output = peer.printed()
            peer.bury()
        if last is not None and last.when == "teardown" and self._held is not None:
            self._held = item, reports.after_passing(last, post_mortem)
        else:
            self._log(item, reports.of_death(item, last, post_mortem, output))
        self._release()

    def _end(self) -> None:
        """End the process in order, and tell the last report, which says so when that failed."""
        peer, self._peer = self._peer, None
        if peer is not None:
            post_mortem, as_told = peer.finish()
            if not as_told and self._held is not None:
                item, report = self._held
                self._held = item, reports.after_passing(report, post_mortem)
            peer.bury()
        self._release()

    def _obey(self, item: StandIn, told: Message) -> None:
        """What a test has asked of its session, it asks of pytest's own."""
        if told["kind"] == "exit":
            pytest.exit(told["reason"], told["returncode"])
        if told["kind"] == "interrupted":
            raise KeyboardInterrupt
        for name in ("shouldstop", "shouldfail"):
            if told.get(name):
                setattr(item.session, name, told[name])
