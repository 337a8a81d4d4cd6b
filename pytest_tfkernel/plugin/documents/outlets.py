"""Where the parts of a run go: to JSON as they come, to a comparison and a page at the end."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.processes.search_path import standard_library_first
from pytest_tfkernel.report import document
from pytest_tfkernel.report.compare import text
from pytest_tfkernel.report.compare.comparison import Comparison, Yardstick
from pytest_tfkernel.report.compare.differences import CompareError
from pytest_tfkernel.report.files import write
from pytest_tfkernel.report.matrix import Line
from pytest_tfkernel.report.naming import claim_in
from pytest_tfkernel.report.saved import FOLDER, SavedRuns
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError, Writer, assemble, check_place

_SHOWN = 20
_SUFFIXES = (".json", ".html")


class Outlets:
    """Made before the first test. Raises DocumentError or CompareError then; later, what goes wrong is said at the end.

    `said` are the lines for the end of the run, `compared` those of the comparison; `whole` is the document, when the
    run is finished.
    """

    def __init__(self, options: Options, start: document.Start) -> None:
        self._start = start
        self._parts: list[document.AnyPart] = []
        self._yardstick = _yardstick(options)
        self.whole: document.Document | None = None
        self.said: list[Line] = []
        self.compared: list[Line] = []
        self._writers: list[Writer] = []
        self._pages: list[Path] = []
        # Those that have their names from us: a run of nothing is none that anybody wants to have kept.
        self._ours: set[Path] = set()
        if "" in options.reports:
            raise DocumentError("--tfkernel-report= is empty: give a name that ends in .json or .html, or a folder")
        folders = [name for name in options.reports if _is_folder(name)]
        for path in dict.fromkeys(_place(name) for name in options.reports if name not in folders):
            if path.suffix == ".html":
                self._pages.append(_checked(path))
            elif path.suffix == ".json":
                self._writers.append(Writer(path, start))
            else:
                raise DocumentError(
                    f"--tfkernel-report={path.name}: give a name that ends in .json or .html; {path.name}/ is a folder"
                )
        # Last, so that nothing is claimed for a run that doesn't begin.
        for folder in dict.fromkeys(map(_place, folders)):
            self._keep(claim_in(folder, start))
        if options.save is not None:
            self._keep(SavedRuns(options.root / FOLDER).claim(options.save, start))

    def _keep(self, path: Path) -> None:
        """Write a document at a place that was claimed for it."""
        self._writers.append(Writer(path, self._start))
        self._ours.add(path)

    def add(self, part: document.Trial | document.Verdict | document.Test) -> None:
        """One more part."""
        self._parts.append(part)
        for writer in [*self._writers]:
            try:
                writer.add(part)
            except DocumentError as error:
                self._give_up(writer, error)

    def finish(self, end: document.End, cut: str = "") -> bool:
        """Write what is written at the end; whether anything makes the run red.

        `cut` is what cut the run short, if anything: then all that is written lies beside its place.
        """
        is_red = bool(self.said or cut)
        whole = assemble([self._start, *self._parts, *(() if cut else (end,))])
        for writer in [*self._writers]:
            if self._keeps(writer.path):
                writer.withdraw()
                continue
            if cut:
                self._leave(writer, cut, whole)
                continue
            try:
                writer.finish(end)
                self.said.append(((f"wrote {writer.path}: {_words(whole)}", ""),))
            except DocumentError as error:
                self._give_up(writer, error)
                is_red = True
        found = self._compare(whole)
        is_red |= self._yardstick is not None and (found is None or bool(found.exit_code))
        for path in self._pages:
            place = path.with_name(f"{path.stem}{INCOMPLETE}{path.suffix}") if cut else path
            is_red |= not self._keeps(path) and not self._write_page(place, whole, found)
        self.said += _unreported(end)
        self.whole = whole
        return is_red

    def _keeps(self, path: Path) -> bool:
        """Whether an older file stays: a mistyped name, say, is no reason to lose it."""
        if not self._parts and path in self._ours:
            self.said.append((("no run document: nothing ran that could be kept", ""),))
            return True
        if self._parts or not path.exists():
            return False
        self.said.append(((f"kept the older {path}: nothing ran that could be written", ""),))
        return True

    def _leave(self, writer: Writer, cut: str, whole: document.Document) -> None:
        """What there is stays aside, and an older document in its place."""
        writer.close()
        older = f"; {writer.path.name} is the older one" if writer.path.exists() else ""
        said = f"cut short ({cut}): wrote {writer.aside}: {_words(whole)}{older}"
        self.said.append(((printable(said), "yellow"),))

    def _compare(self, whole: document.Document) -> Comparison | None:
        """What came of it; None without a ref, or where nothing is in both."""
        if self._yardstick is None:
            return None
        try:
            found = self._yardstick.compare(whole)
        except CompareError as error:
            self.compared.append(((f"no comparison: {error}", "red"),))
            return None
        self.compared += text.lines(found)
        return found

    def _write_page(self, path: Path, whole: document.Document, found: Comparison | None) -> bool:
        # What draws is imported piece by piece.
        with standard_library_first():
            from pytest_tfkernel.report.page.render import render

            text = render(whole, found)
        try:
            write(path, text)
        except OSError as error:
            self.said.append(((f"no page: {path} can't be written: {error.strerror}", "red"),))
            return False
        self.said.append(((f"wrote {path}", ""),))
        return True

    def _give_up(self, writer: Writer, error: DocumentError) -> None:
        """The run goes on, and its verdicts are shown."""
        writer.close()
        self._writers.remove(writer)
        self.said.append(((f"no run document: {error}", "red"),))


def _checked(path: Path) -> Path:
    """The path of a page that can be made. Raises DocumentError."""
    missing = [name for name in ("jinja2", "matplotlib") if importlib.util.find_spec(name) is None]
    if missing:
        raise DocumentError(f"{path.name}: a page needs {' and '.join(missing)}: pip install 'pytest-tfkernel[html]'")
    check_place(path)
    return path


def _is_folder(name: str) -> bool:
    """A folder called `run.json` is more likely a mistake, unless a separator says that it isn't."""
    return name.endswith(os.sep) or (Path(name).suffix not in _SUFFIXES and _place(name).is_dir())


def _place(name: str) -> Path:
    """Where a name leads from here, whatever folder a test changes to; a link stays one."""
    try:
        return Path(name).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise DocumentError(f"{name} can't be the place of a file: {error}") from None


def _yardstick(options: Options) -> Yardstick | None:
    if options.compare is None:
        if options.fail_on or options.expect:
            raise CompareError(
                "--tfkernel-fail-on and --tfkernel-expect are about a comparison: add --tfkernel-compare=REF"
            )
        return None
    expect = Path(options.expect).absolute() if options.expect is not None else None
    ref = SavedRuns(options.root / FOLDER).find(options.compare).absolute()
    return Yardstick.load(ref, options.fail_on, expect, prefix="--tfkernel-")


def _unreported(end: document.End) -> Iterator[Line]:
    for nodeid in end.unreported[:_SHOWN]:
        yield ((f"collected, but never reported: {nodeid}", "red"),)
    if len(end.unreported) > _SHOWN:
        yield ((f"and {len(end.unreported) - _SHOWN} more that were never reported", "red"),)


def _words(whole: document.Document) -> str:
    numbers = {"trial": len(whole.trials), "verdict": len(whole.verdicts), "test": len(whole.tests)}
    return ", ".join(counted(number, word) for word, number in numbers.items())
