"""Running tests in processes of their own, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.plugin.isolation import relaying, reports, wishes
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.items import key_of
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer
from pytest_tfkernel.plugin.isolation.summary import Count, Made
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_LAST = ("ran", "missing", "exit", "interrupted")
_DEATH = "died of something else than its end"


class Runner:
    """Gives each test its process. One at a time lives on, for the next test of the same file."""

    def __init__(
        self, config: pytest.Config, nursery: Nursery, mode: str, leave: Callable[[dict[str, Any]], None]
    ) -> None:
        self._config = config
        self._nursery = nursery
        self._mode = mode
        # Told what a session leaves at its end, as workers of pytest-xdist do.
        self._leave = leave
        self._peer: Peer | None = None
        self._belongs: tuple[str, IsolationWishes] | None = None
        # The process of the next test, which is made while this one runs.
        self._ahead: tuple[tuple[str, IsolationWishes], Peer] | None = None
        # The report of a teardown that may be the process's last.
        self._held: tuple[pytest.Item, pytest.TestReport] | None = None
        self.count = Count()

    def run(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """One test, with all of its reports."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        is_last = following is None or not self._share(item, following)
        try:
            told = self._run(item, following, is_last=is_last)
        except KeyboardInterrupt:
            if self._peer is not None:
                self._peer.interrupt()
            raise
        self.count = self.count.with_test()
        if is_last:
            self._end()
        else:
            # It lives on, so there is nothing to wait for.
            self._release()
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if told is not None:
            self._obey(item, told)

    def close(self) -> None:
        """End the process that may be left."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead[1].bury()
        with contextlib.suppress(CannotBeginError):
            self._end()

    def _wishes(self, item: pytest.Item) -> IsolationWishes:
        """Raises CannotBeginError for a marker that is written wrongly."""
        try:
            return wishes.of(item, self._mode) or IsolationWishes()
        except ValueError as error:
            raise CannotBeginError(str(error)) from None

    def _share(self, item: pytest.Item, other: pytest.Item) -> bool:
        try:
            one, two = self._wishes(item), self._wishes(other)
        except CannotBeginError:
            return False
        return one.per == "file" and (item.path, one) == (other.path, two)

    def _run(self, item: pytest.Item, following: pytest.Item | None, *, is_last: bool) -> Message | None:
        """What its process has told at the end of it; None when the process has died."""
        last: pytest.TestReport | None = None
        try:
            wanted = self._wishes(item)
            peer = self._peer_for(item, wanted)
            kept_for = None if is_last or following is None else key_of(following)
            failed = item.session.testsfailed
            peer.send({"kind": "run", "test": key_of(item), "next": kept_for, "failed": failed})
            if is_last and following is not None:
                self._look_ahead(following)
            for told in peer.told(_LAST, wanted.timeout):
                if told["kind"] == "report":
                    last = reports.told(self._config, told)
                    self._log(item, last)
                elif told["kind"] == "missing":
                    self._log(item, reports.failed(item, reports.MISSING))
                else:
                    relaying.pass_on(self._config, told, item)
                if told.get("waits"):
                    relaying.flush(self._config)
        except DiedError as error:
            self._died(item, last, error.post_mortem)
            return None
        except CannotBeginError as error:
            self._log(item, reports.failed(item, str(error)))
            return None
        return told

    def _peer_for(self, item: pytest.Item, wanted: IsolationWishes) -> Peer:
        belongs = str(item.path), wanted
        if self._peer is None or self._belongs != belongs:
            self._end()
            ahead, self._ahead = self._ahead, None
            if ahead is not None and ahead[0] == belongs:
                self._peer = ahead[1]
            else:
                if ahead is not None:
                    ahead[1].bury()
                self._peer = self._make(item, belongs)
            self._belongs = belongs
        return self._peer

    def _make(self, item: pytest.Item, belongs: tuple[str, IsolationWishes]) -> Peer:
        begun = monotonic()
        peer, how = self._nursery.process(*belongs)
        self.count = self.count.with_process(Made(item.nodeid.partition("::")[0], how, monotonic() - begun))
        return peer

    def _look_ahead(self, item: pytest.Item) -> None:
        """Make the process of the next test, beside this one, where that is but a fork."""
        with contextlib.suppress(CannotBeginError, DiedError):
            wanted = self._wishes(item)
            if self._ahead is None and self._nursery.forks_soon(wanted):
                belongs = str(item.path), wanted
                self._ahead = belongs, self._make(item, belongs)

    def _log(self, item: pytest.Item, report: pytest.TestReport) -> None:
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

    def _died(self, item: pytest.Item, last: pytest.TestReport | None, post_mortem: PostMortem) -> None:
        peer, self._peer = self._peer, None
        self.count = self.count.with_death()
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
            post_mortem, as_told = peer.finish(self._leave)
            if not as_told and self._held is not None:
                item, report = self._held
                self._held = item, reports.after_passing(report, post_mortem)
            peer.bury()
        self._release()

    def _obey(self, item: pytest.Item, told: Message) -> None:
        """What a test has asked of its session, it asks of pytest's own."""
        if told["kind"] == "exit":
            pytest.exit(told["reason"], told["returncode"])
        if told["kind"] == "interrupted":
            relaying.interrupt(told)
        for name in ("shouldstop", "shouldfail"):
            if told.get(name):
                setattr(item.session, name, told[name])
