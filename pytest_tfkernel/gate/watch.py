"""The watch over one pytest process: whose turn it is, what each left, and what is to be told in the end."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from pytest_tfkernel.gate import adoption
from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.gate.books import Books
from pytest_tfkernel.gate.claims import Claims
from pytest_tfkernel.gate.findings import Allowance, Finding, Stray, Tally
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.gate.helpers import Helpers
from pytest_tfkernel.gate.judge import AccountJudge
from pytest_tfkernel.gate.known import KNOWN, Known
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.resources import Blind, Kind, Resource

# What an exception in a test keeps alive by its traceback: handles of pytest's own, and children not waited for.
_KEPT_BY_TRACEBACKS = {Kind.SOCKET, Kind.LOCK, Kind.FILE, Kind.ZOMBIE}
# Places that differ by them only count as one.
_NUMBERS = re.compile(r"\d+")
FAILED_ITSELF = "the test itself failed, and its traceback may keep this alive"
OUTSIDE = "it appeared outside of tests"
LATE = "nobody could look when its turn was over"


class Watch:
    """Nothing that goes wrong in here reaches the session: it is counted as not looked at.

    `alone`: no other worker of pytest-xdist is running.
    """

    def __init__(self, worker: str, claims: Claims, known: Sequence[Known], *, alone: bool) -> None:
        self._worker = worker
        self._numbers = itertools.count()
        self._claims = claims
        self._leases = Leases()
        self._helpers = Helpers((*KNOWN, *known), self._leases)
        self._books = Books(Ground(), claims, self._leases, self._helpers, alone=alone)
        self._judge = AccountJudge(self._books)
        self._test: Account | None = None
        self._due: list[Account] = []
        self._findings: list[Finding] = []
        self._declared: set[Allowance] = set()
        self._used: set[Allowance] = set()
        claims.start()

    def begin(self, test: str, allowances: Iterable[Allowance], fixtures: Iterable[str]) -> None:
        """A test is about to be set up. `fixtures` are the names of those that it asks for."""
        with self._safely(f"the start of {test}"):
            self._test = self._books.open(Owner(test))
            self._test.allowances.update(allowances)
            asked = set(fixtures)
            for fixture in self._books.fixtures():
                if fixture.owner.name in asked:
                    fixture.allowances |= self._wider()
            self._books.switch(self._test)

    def end(self, *, failed: bool, ran: bool) -> list[Finding]:
        """The test was torn down, and perhaps some fixtures with it: what they left that somebody is to blame for.

        `ran` says that its own code did, `failed` that it or its fixtures ended with an error.
        """
        test, self._test = self._test, None
        if test is None:
            return []
        if ran and not failed:
            self._declared |= test.allowances
        return self._judged([test, *self._due], test.owner.test, failed=failed)

    def open_fixture(self, owner: Owner) -> Account | None:
        """A fixture that is wider than one test is about to be set up; None when that went wrong."""
        with self._safely(f"the start of {owner}"):
            account = self._books.open(owner)
            account.allowances |= self._wider()
            return account
        return None

    def _wider(self) -> set[Allowance]:
        """What the markers of the test's class and module allow: its own one says nothing of fixtures."""
        if self._test is None:
            return set()
        return {one for one in self._test.allowances if one.node != self._test.owner.test}

    def turn(self, account: Account | None) -> Account | None:
        """Whatever appears from now on is this account's; gives the one before."""
        with self._safely("a change of turns"):
            return self._books.switch(account if account is not None else self._books.session)
        return None

    def tear_down(self, account: Account) -> None:
        """A fixture is about to be torn down, which may start things too."""
        account.interrupts = self.turn(account)

    def close_fixture(self, account: Account) -> None:
        """It was torn down, and is judged with the test during which that happened."""
        with self._safely(f"what {account.owner} holds"):
            if self._test is not None:
                self._judge.hand_over(self._test, account)
        account.value = None
        self._due.append(account)
        if account.interrupts is not None:
            self.turn(account.interrupts)
            account.interrupts = None

    def finish(self, gpu: Callable[[set[str]], Iterable[str]], kept: Callable[[], Container[int]]) -> Tally:
        """All that there is to tell, once; nothing is watched afterwards.

        `gpu` describes what pytest itself holds; `kept` are its descriptors that are ours.
        """
        told: list[str] = []
        strays: tuple[Stray, ...] = ()
        # A test that was interrupted has no teardown of its own.
        interrupted = [self._test] if self._test is not None else []
        self._judged([*interrupted, *self._due], "", failed=bool(interrupted))
        self._judged([self._books.session], "", failed=False)
        with self._safely("what nobody holds"):
            strays = tuple(self._judge.settle_strays())
            for owner, late in self._judge.settle_late():
                number = next(self._numbers)
                self._findings.append(Finding(self._worker, number, owner.test, owner.fixture, (late,), LATE))
            ours = kept()
            handles = {name: to for name, to in self._books.ground.handles.items() if int(name) not in ours}
            told += self._books.descriptors.lines(handles)
        if self._judge.orphans:
            told.append(adoption.words(len(self._judge.orphans)))
        self._claims.stop()
        with self._safely("the GPU memory of pytest itself"):
            told += gpu(self._books.ground.devices)
        with self._safely("the limit on file locks"):
            self._leases.restore()
        return Tally(
            findings=tuple(self._findings),
            known=Counter(known.what for known in self._helpers.met.values()),
            strays=strays,
            used=frozenset(self._used),
            declared=frozenset(self._declared),
            blind=Counter(f"{_NUMBERS.sub('*', one.place)}: {one.reason}" for one in self._books.blind),
            told=tuple(told),
        )

    def _judged(self, accounts: Sequence[Account], test: str, *, failed: bool) -> list[Finding]:
        self._due = []
        blamed: list[Finding] = []
        looked = False
        try:
            with self._safely(f"what {test or 'the session'} left"):
                found = self._judge.judge(accounts)
                looked = True
                for account, resources in found.items():
                    blamed += self._findings_of(account, self._without_allowed(account, resources), test, failed=failed)
        finally:
            with self._safely("a change of turns"):
                self._books.switch(self._books.session, looked=looked)
                for account in accounts:
                    self._books.close(account)
        return blamed

    def _without_allowed(self, account: Account, left: Sequence[Resource]) -> Iterator[Resource]:
        for one in left:
            allowing = {allowance for allowance in account.allowances if allowance.kind == one.kind.value}
            self._used |= allowing
            if not allowing:
                yield one

    def _findings_of(self, account: Account, left: Iterable[Resource], test: str, *, failed: bool) -> Iterator[Finding]:
        """Those that blame somebody; the others are only told in the end."""
        blamed: list[Resource] = []
        excused: list[Resource] = []
        is_tests = bool(account.owner.test)
        for one in left:
            is_kept = failed and is_tests and one.kind in _KEPT_BY_TRACEBACKS
            (excused if is_kept or account is self._books.session else blamed).append(one)
        why = OUTSIDE if account is self._books.session else FAILED_ITSELF
        for things, reason in ((blamed, ""), (excused, why)):
            if things:
                number = next(self._numbers)
                finding = Finding(
                    self._worker, number, test or account.owner.test, account.owner.fixture, tuple(things), reason
                )
                self._findings.append(finding)
                if not reason:
                    yield finding

    @contextlib.contextmanager
    def _safely(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a session that we can't serve goes on
            self._books.note([Blind(Kind.PROCESS, what, f"{type(error).__name__}: {error}")])
