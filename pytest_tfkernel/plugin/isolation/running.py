"""Running tests in processes of their own, one after the other."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable

import pytest

from pytest_tfkernel.model.errors import SupervisorGoneError, TFKernelError
from pytest_tfkernel.model.processes import Leftover
from pytest_tfkernel.plugin.isolation import deaths, expected, leftovers, relaying, reports, wishes
from pytest_tfkernel.plugin.isolation.expected import Expected
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.gating import Gating
from pytest_tfkernel.plugin.isolation.items import key_of
from pytest_tfkernel.plugin.isolation.nursery import Nursery
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer, ProcessDeath
from pytest_tfkernel.plugin.isolation.summary import Count
from pytest_tfkernel.plugin.isolation.supply import Kinship, Supply, kinship
from pytest_tfkernel.plugin.isolation.telling import Teller
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

_GONE = (
    "the process that starts those of tests, their parent, is gone, and this one with it: did the test end its parent?"
    " those after it have a new one"
)
_ENDS = ("exit", "interrupted")
_LAST = ("ran", "missing", *_ENDS)


class Runner:
    """Gives each test its process. One at a time lives on, for the next test of the same file."""

    def __init__(self, config: pytest.Config, nursery: Nursery, mode: str, renew: Callable[[], None]) -> None:
        """Have processes from a nursery, and `renew` that when its supervisor is gone."""
        self._config = config
        self._renew = renew
        self._supply = Supply(nursery)
        self._mode = mode
        self._peer: Peer | None = None
        # What sessions have left at their end, as workers of pytest-xdist do, and how many there were.
        self.left: list[Message] = []
        self._sessions = 0
        # For which tests it is, and how it was made.
        self._kin: Kinship | None = None
        self._how = ""
        self._tests = self._deaths = 0
        self._numbers = itertools.count(1)
        self._teller = Teller()
        self._gating = Gating(config)

    def run(self, item: pytest.Item, following: pytest.Item | None, tear_down: Callable[[], str] = str) -> None:
        """One test, with all of its reports; what goes wrong in `tear_down` is told in the last of them."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        self._teller.begin()
        self._gating.begin(item)
        is_last = following is None or not self._share(item, following)
        is_interrupted, said = False, None
        try:
            told = self._run(item, following, is_last=is_last)
        except KeyboardInterrupt:
            is_interrupted = True
            # Here: a second one may come as soon as anything is called.
            try:
                said = self._interrupt()
            except KeyboardInterrupt:
                self._bury()
        if is_interrupted:
            # Out there: a person wants to see where the test was, and not where we waited for it.
            relaying.interrupt(said or relaying.at(item))
        self._tests += 1
        if wrong := tear_down():
            self._teller.spoil(wrong)
        if is_last or item.session.shouldstop or item.session.shouldfail or _stops(told):
            try:
                self._end()
            except KeyboardInterrupt:
                is_interrupted = True
                try:
                    self._hurry()
                except KeyboardInterrupt:
                    self._bury()
        if is_interrupted:
            relaying.interrupt(relaying.at(item))
        # A worker of pytest-xdist may tell of no test but the one that it runs.
        self._teller.release()
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if told is not None:
            self._obey(item, told)

    def close(self) -> None:
        """End the processes that may be left."""
        try:
            self._supply.close()
            self._end()
        except KeyboardInterrupt:
            # Nobody wants to wait for what it has still to tear down.
            self._bury()
            raise

    @property
    def count(self) -> Count:
        """What there was so far."""
        return Count(tuple(self._supply.made), self._tests, self._deaths)

    @property
    def is_complete(self) -> bool:
        """Whether each session has left something."""
        return len(self.left) == self._sessions

    def _interrupt(self) -> Message | None:
        """Let the test that runs be interrupted, once; what it says of that."""
        self._teller.interrupt()
        if self._peer is None:
            return None
        with contextlib.suppress(TFKernelError):
            return self._peer.interrupt()
        return None

    def _hurry(self) -> None:
        """Let the end of a session be interrupted, once; how it ends then is no fault of a test."""
        self._teller.interrupt()
        with contextlib.suppress(TFKernelError):
            if self._peer is not None:
                self._peer.hurry()
        self._bury()

    def _wishes(self, item: pytest.Item) -> tuple[IsolationWishes, Expected | None]:
        """Raises CannotBeginError for a marker that is written wrongly."""
        try:
            return wishes.of(item, self._mode) or IsolationWishes(), expected.of(item)
        except ValueError as error:
            raise CannotBeginError(str(error)) from None

    def _share(self, item: pytest.Item, other: pytest.Item) -> bool:
        try:
            one, two = self._wishes(item)[0], self._wishes(other)[0]
        except CannotBeginError:
            return False
        return one.per == "file" and (item.path, one) == (other.path, two)

    def _run(self, item: pytest.Item, following: pytest.Item | None, *, is_last: bool) -> Message | None:
        """What its process has told at the end of it; None when the process has died, or there is none."""
        wanted_death: Expected | None = None
        death, words = None, ""
        try:
            wanted, wanted_death = self._wishes(item)
            peer = self._peer_for(item, wanted)
            kept_for = None if is_last or following is None else key_of(following)
            number = self._ask(item, peer, kept_for, wanted.timeout)
            if is_last and following is not None:
                self._look_ahead(following)
            return self._hear(item, number, peer, wanted.timeout, wanted_death)
        except DiedError as error:
            death = error.death
        except SupervisorGoneError:
            words = _GONE
            self._deaths += 1
            self._bury()
        except TFKernelError as error:
            words = str(error)
        # Not in there: what somebody's own hook raises now has nothing to do with it.
        if death is not None:
            self._deaths += 1
            self._teller.died(item, death, wanted_death, self._how)
            self._bury(death)
            self._teller.release()
        else:
            self._teller.fail(item, words)
        return None

    def _ask(self, item: pytest.Item, peer: Peer, kept_for: list[object] | None, timeout: float | None) -> int:
        """Have a process run a test; the number of the request."""
        number = next(self._numbers)
        self._teller.phase_begins()
        failed = item.session.testsfailed
        names = {"test": key_of(item), "next": kept_for, "failed": failed}
        peer.send({"kind": "run", "number": number, "timeout": timeout, **names})
        return number

    def _hear(
        self, item: pytest.Item, number: int, peer: Peer, timeout: float | None, wanted_death: Expected | None
    ) -> Message:
        """Tell what a process tells of a test. Raises DiedError."""
        for told in peer.told(_LAST, timeout):
            if told.get("of") != number:
                peer.tear("it tells of something else than the test that runs")
            if told["kind"] == "report":
                try:
                    report = reports.told(self._config, told)
                except reports.UnreadableError as error:
                    peer.tear(str(error))
                reports.tell_cut(report, peer.cut())
                if report.when == "teardown":
                    reports.tell_process(report, self._how, told.get("peak"))
                if wanted_death is not None:
                    deaths.of_the_living(report, wanted_death)
                self._teller.tell(item, report)
            else:
                relaying.pass_on(self._config, told, item)
            if told.get("waits"):
                relaying.flush(self._config)
        if told["kind"] == "missing":
            self._teller.fail(item, reports.missing(told["why"]))
        elif told["kind"] == "ran" and not self._teller.is_told:
            self._teller.fail(item, reports.NO_REPORT)
        return told

    def _peer_for(self, item: pytest.Item, wanted: IsolationWishes) -> Peer:
        kin = kinship(item, wanted)
        # What has died between two tests is an error of the one before.
        if self._peer is None or self._kin != kin or not self._peer.life.is_alive:
            self._end()
            try:
                self._peer, self._how = self._supply.take(item, kin)
            except SupervisorGoneError:
                # The test has not begun.
                self._renew()
                self._peer, self._how = self._supply.take(item, kin)
            self._sessions += 1
            self._kin = kin
        return self._peer

    def _look_ahead(self, item: pytest.Item) -> None:
        """Make the process of the next test beside this one."""
        with contextlib.suppress(CannotBeginError):
            self._supply.make_ahead(item, kinship(item, self._wishes(item)[0]))

    def _end(self) -> None:
        """End the process in order, and tell the last report, which says so when that failed."""
        if self._peer is not None:
            try:
                death, as_told = self._peer.finish(self.left.append)
            except SupervisorGoneError:
                self._bury()
                self._teller.spoil(f"how its process has ended isn't known: {_GONE}")
            else:
                self._teller.ended(death, as_told=as_told)
                self._bury(None if as_told else death)
        self._teller.release()

    def _bury(self, death: ProcessDeath | None = None) -> None:
        """Free its process; of one that has died nobody there has looked at what it leaves."""
        peer, self._peer = self._peer, None
        if peer is None:
            return
        left: list[Leftover] = []
        # Where the supervisor is gone, nobody knows what was left.
        with contextlib.suppress(TFKernelError):
            left = leftovers.of_tests(peer.bury())
            self._teller.left(left)
        if death is not None:
            self._teller.judge(lambda item, report: self._gating.tell(item, report, death, left))
        else:
            self._gating.ended()

    def _obey(self, item: pytest.Item, told: Message) -> None:
        """What a test has asked of its session, it asks of pytest's own."""
        if told["kind"] == "exit":
            pytest.exit(told["reason"], told["returncode"])
        if told["kind"] == "interrupted":
            relaying.interrupt(told)
        for name in ("shouldstop", "shouldfail"):
            if told.get(name):
                setattr(item.session, name, told[name])


def _stops(told: Message | None) -> bool:
    """Whether a test has ended its session."""
    return told is not None and (told["kind"] in _ENDS or bool(told.get("shouldstop") or told.get("shouldfail")))
