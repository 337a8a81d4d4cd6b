"""Where the parts of a run go: to JSON as they come, to a comparison at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_tfkernel.plugin.options import Options
from pytest_tfkernel.report import document
from pytest_tfkernel.report.compare import text
from pytest_tfkernel.report.compare.comparison import Yardstick
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.matrix import Line
from pytest_tfkernel.report.store import DocumentError, Writer, assemble

_SHOWN = 20


class Outlets:
    """Made before the first test. Raises DocumentError or CompareError then; later, what goes wrong is said at the end.

    `said` are the lines for the end of the run, `compared` those of the comparison.
    """

    def __init__(self, options: Options, start: document.Start) -> None:
        self._start = start
        self._parts: list[document.AnyPart] = []
        self._yardstick = _yardstick(options)
        self.said: list[Line] = []
        self.compared: list[Line] = []
        self._writers: list[Writer] = []
        for path in (Path(name).absolute() for name in options.reports):
            if path.suffix != ".json":
                raise DocumentError(f"--tfkernel-report={path.name}: give a name that ends in .json or .html")
            self._writers.append(Writer(path, start))

    def add(self, part: document.Trial | document.Verdict | document.Test) -> None:
        """One more part."""
        self._parts.append(part)
        for writer in [*self._writers]:
            try:
                writer.add(part)
            except DocumentError as error:
                self._give_up(writer, error)

    def finish(self, end: document.End) -> bool:
        """Write what is written at the end; whether anything makes the run red."""
        is_red = bool(self.said)
        whole = assemble([self._start, *self._parts, end])
        for writer in [*self._writers]:
            try:
                writer.finish(end)
                self.said.append(((f"wrote {writer.path}: {_words(whole)}", ""),))
            except DocumentError as error:
                self._give_up(writer, error)
                is_red = True
        self.said += _unreported(end)
        return self._compare(whole) or is_red

    def _compare(self, whole: document.Document) -> bool:
        """Whether this run is worse than the one that it is compared with, or can't be compared."""
        if self._yardstick is None:
            return False
        try:
            found = self._yardstick.compare(whole)
        except CompareError as error:
            self.compared.append(((f"no comparison: {error}", "red"),))
            return True
        self.compared += text.lines(found)
        return bool(found.exit_code)

    def _give_up(self, writer: Writer, error: DocumentError) -> None:
        """The run goes on, and its verdicts are shown."""
        writer.close()
        self._writers.remove(writer)
        self.said.append(((f"no run document: {error}", "red"),))


def _yardstick(options: Options) -> Yardstick | None:
    if options.compare is None:
        if options.fail_on or options.expect:
            raise CompareError(
                "--tfkernel-fail-on and --tfkernel-expect are about a comparison: add --tfkernel-compare=REF"
            )
        return None
    expect = Path(options.expect).absolute() if options.expect is not None else None
    return Yardstick.load(Path(options.compare).absolute(), options.fail_on, expect, prefix="--tfkernel-")


def _unreported(end: document.End) -> Iterator[Line]:
    for nodeid in end.unreported[:_SHOWN]:
        yield ((f"collected, and never reported: {nodeid}", "red"),)
    if len(end.unreported) > _SHOWN:
        yield ((f"and {len(end.unreported) - _SHOWN} more that were never reported", "red"),)


def _words(whole: document.Document) -> str:
    return f"{len(whole.trials)} trials, {len(whole.verdicts)} verdicts, {len(whole.tests)} tests"
