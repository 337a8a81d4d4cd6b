"""What a person sees while trials are played: a line for each, how many are done, how long the rest may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.options import ID_PREFIX
from pytest_tfkernel.processes.waits import monotonic

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

# With less than this much done nobody knows how long the rest takes.
_ENOUGH = 0.1
_MINUTE = 60


class SuiteProgress:
    """The lines of a session that runs the suite, at pytest's usual verbosity.

    Where it plays the trials itself, the line of one begins before it is played, and pytest adds the letters. Under
    pytest-xdist several are played at once: the line of one comes when all of its items have been reported.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began = monotonic()
        self._expected: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self._letters: dict[str, list[tuple[str, dict[str, bool]]]] = {}
        self._announced: set[str] = set()
        self._items = self._finished = 0
        # Whose line is open, and whether pytest is just writing a letter.
        self._is_ours = self._is_anothers = self._is_writing = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what will be run, where that is known here."""
        if not workers.is_controller(self._config):
            self._expect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: WorkerController, ids: Sequence[str]) -> None:  # noqa: ARG002
        """Note what will be run, of the first worker: all collect the same."""
        if not self._items:
            self._expect(ids)

    def _expect(self, ids: Sequence[str]) -> None:
        self._began = monotonic()
        self._items = len(ids)
        self._expected = Counter(setting for setting in map(_setting, ids) if setting)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which trial is being played, once for each; it may take a while."""
        setting = _setting(nodeid)
        if not setting:
            self._leave_line()
        elif not workers.is_controller(self._config) and setting not in self._announced:
            self._announced.add(setting)
            self._begin(setting)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        """Let pytest write the letter, or keep it; after the last of a trial, say how far the run is."""
        setting = _setting(report.nodeid)
        if not setting:
            self._leave_line()
            self._is_anothers = True
        self._is_writing = True
        try:
            result = yield
        finally:
            self._is_writing = False
        if report.when == "teardown":
            self._finished += 1
            if setting:
                self._reported[setting] += 1
                if self._reported[setting] == self._expected[setting]:
                    self._complete(setting)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Keep the letters of a trial until its line is written, where several are played at once."""
        status = yield
        setting = _setting(report.nodeid)
        if not (status and setting and self._is_writing and workers.is_controller(self._config)):
            return status
        category, letter, word = status
        if not letter:
            return status
        markup = word[1] if isinstance(word, tuple) else {_colour(report): True}
        self._letters.setdefault(setting, []).append((letter, markup))
        # With a word, which isn't shown here: what has neither is no result, and pytest's own count leaves it out.
        return category, "", word

    def _complete(self, setting: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        if workers.is_controller(self._config):
            self._begin(setting)
            for letter, markup in self._letters.pop(setting, ()):
                reporter.write(letter, **markup)
        if self._finished < self._items:
            reporter.write(f"  {self.words(self._finished)}", cyan=True)
            # Before pytest does it, with a share of its own, since the line is long.
            self._leave_line()

    def words(self, finished: int) -> str:
        """How far a run is of which so many items are done."""
        done = sum(self._reported[setting] == number for setting, number in self._expected.items())
        share = finished / self._items
        words = f"[{share:4.0%}] {done} of {counted(len(self._expected), 'trial')}"
        if share < _ENOUGH:
            return words
        return f"{words}, about {_duration((monotonic() - self._began) * (1 - share) / share)} left"

    def _begin(self, setting: str) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        # So that pytest ends its line, and doesn't begin one with the "file" of our ids.
        here = self._config.rootpath / ID_PREFIX.rstrip(":")
        if self._is_anothers:
            reporter.currentfspath = here
        reporter.ensure_newline()
        reporter.write(f"{setting} ")
        reporter.flush()
        reporter.currentfspath = here
        self._is_ours, self._is_anothers = True, False

    def _leave_line(self) -> None:
        """Let no letter of another test stand behind the name of a trial."""
        if self._is_ours:
            self._is_ours = False
            reporter = self._config.pluginmanager.getplugin("terminalreporter")
            if reporter is not None:
                reporter.ensure_newline()
                reporter.flush()


def _setting(nodeid: str) -> str:
    """That of one of our items; empty for any other."""
    return nodeid[nodeid.index("[") + 1 : nodeid.rindex("]")] if nodeid.startswith(ID_PREFIX) else ""


def _colour(report: pytest.TestReport) -> str:
    return {"passed": "green", "failed": "red"}.get(report.outcome, "yellow")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _MINUTE else f"{seconds / _MINUTE:.0f} min"
