"""Where the parts of a run go: to JSON as they come, to a page and a comparison at the end."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.plugin.options import Options
from pytest_tfkernel.report import document
from pytest_tfkernel.report.store import DocumentError, Writer, assemble

_SHOWN = 20


class Outlets:
    """Made before the first test. Raises DocumentError then; later, what goes wrong is said at the end."""

    def __init__(self, options: Options, start: document.Start) -> None:
        self._start = start
        self._parts: list[document.AnyPart] = []
        self.said: list[tuple[str, str]] = []
        self._writers: list[Writer] = []
        self._paths = [Path(name).absolute() for name in options.reports]
        for path in self._paths:
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
                self.said.append((f"wrote {writer.path}: {_words(whole)}", ""))
            except DocumentError as error:
                self._give_up(writer, error)
                is_red = True
        for nodeid in end.unreported[:_SHOWN]:
            self.said.append((f"collected, and never reported: {nodeid}", "red"))
        if len(end.unreported) > _SHOWN:
            self.said.append((f"and {len(end.unreported) - _SHOWN} more that were never reported", "red"))
        return is_red

    def _give_up(self, writer: Writer, error: DocumentError) -> None:
        """The run goes on, and its verdicts are shown."""
        writer.close()
        self._writers.remove(writer)
        self.said.append((f"no run document: {error}", "red"))


def _words(whole: document.Document) -> str:
    return f"{len(whole.trials)} trials, {len(whole.verdicts)} verdicts, {len(whole.tests)} tests"
