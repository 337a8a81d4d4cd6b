"""A run on GitHub Actions: its annotations, and the run as Markdown for the summary of a job."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.annotations import Folders, annotate
from pytest_tfkernel.report.compare.markdown import escape
from pytest_tfkernel.report.document import Document, Setting, Trial, Verdict
from pytest_tfkernel.report.matrix import unique
from pytest_tfkernel.report.page.matrices import columns
from pytest_tfkernel.report.page.tallies import SYMBOLS, WORST_FIRST, VerdictCounts
from pytest_tfkernel.report.remarks import BAD, clip, one_line, reasons_of, setting_name, shortfall, visible

# GitHub refuses a summary of more than 1 MiB, for all of a step together.
MOST_BYTES = 1 << 20
_MOST_MESSAGE = 4000
_MOST_REPORT = 16_000
_CUT = "\n**This summary is cut here: {} more parts; the run document has them all.**\n"
_GOOD, _BROKEN = "\u2705", "\u274c"


def announce(
    document: Document,
    environ: Mapping[str, str],
    write: Callable[[str], object],
    required: Collection[str] = (),
    root: Path | None = None,
) -> None:
    """On GitHub Actions, `write` the annotations, a line each, and append to the summary of the job's step.

    `required` are capabilities, as in `annotate`; `root` is pytest's rootdir, which a document doesn't know.

    A summary that can't be written is one more line, and no error.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in annotate(document, required, _folders(root, environ.get("GITHUB_WORKSPACE"))):
        write(line)
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        # Not through a text file: that one would have words of its own for the end of a line.
        with Path(path).open("ab") as file:
            file.write(summary(document, MOST_BYTES - file.tell()).encode())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        write(f"tfkernel: no summary for GitHub: {printable(path)} can't be written: {why}")


def _folders(root: Path | None, workspace: str | None) -> Folders:
    """Without links: a checkout may be reached by several paths."""
    if root is None or not workspace:
        return Folders()
    try:
        return Folders(os.path.realpath(root), os.path.realpath(workspace))
    except (OSError, ValueError):
        return Folders()


def summary(document: Document, most_bytes: int = MOST_BYTES) -> str:
    """Markdown: the answer, the matrix, all that isn't PASS with its post-mortem; what is too long is cut between."""
    parts = [f"{part}\n" for part in _parts(document)]
    sizes = [len(part.encode()) for part in parts]
    if sum(sizes) <= most_bytes:
        return "".join(parts)
    room = most_bytes - len(_CUT.format(len(parts)).encode())
    kept = 0
    while kept < len(parts) and sizes[kept] <= room:
        room -= sizes[kept]
        kept += 1
    return "".join([*parts[:kept], _CUT.format(len(parts) - kept)]) if room >= 0 else ""


def _parts(document: Document) -> Iterator[str]:
    """What isn't cut in two."""
    yield "\n".join([f"### {_answer(document)}", "", *_surroundings(document), ""])
    yield from _matrix(document)
    verdicts: dict[Setting, list[Verdict]] = {}
    for one in document.verdicts:
        if one.verdict != "PASS" or one.is_mended:
            verdicts.setdefault(one.setting, []).append(one)
    trials = {trial.setting: trial for trial in document.trials}
    for state in WORST_FIRST:
        for setting, found in verdicts.items():
            if min((one.verdict for one in found), key=WORST_FIRST.index) == state:
                yield _details(
                    f"{SYMBOLS[state]} {setting_name(document, setting)}", _of_trial(found, trials.get(setting))
                )
    for test in document.tests:
        if test.outcome in BAD:
            yield _details(f"{SYMBOLS['FAIL']} {test.item}: {test.outcome}", _fenced("\n".join(reasons_of(test))))
    if document.end is not None and document.end.unreported:
        yield _details("Collected, but never reported", _fenced("\n".join(document.end.unreported)))


def _answer(document: Document) -> str:
    tally = VerdictCounts.of(document.verdicts)
    bad = [test for test in document.tests if test.outcome in BAD]
    passed = sum(test.outcome == "passed" for test in document.tests)
    clauses = []
    if tally.total:
        lost = unique(one.guarantee for one in document.verdicts if one.verdict == "FAIL")
        names = {"FAIL": f" ({', '.join(lost)})"}
        counts = [(tally.counts[state], f"{state}{names.get(state, '')}") for state in WORST_FIRST]
        words = ", ".join(f"{count} {word}" for count, word in counts if count)
        whole = tally.passed == tally.total
        every = f"all {tally.total} verdicts PASS" if tally.total > 1 else "the one verdict is PASS"
        clauses.append(every if whole else f"of {counted(tally.total, 'verdict')} {words}")
    if document.tests:
        clauses.append(f"of your tests {len(bad)} failed and {passed} passed")
    shown = tally.total > tally.unknown or passed or bad
    if not shown:
        clauses.append("nothing passed, so nothing was shown")
    missing = shortfall(document)
    clauses += [f"incomplete: {missing}"] if missing else []
    code = document.end.exit_code if document.end is not None else 0
    if code and not (bad or tally.failed):
        clauses.append(f"pytest ended with exit code {code}")
    is_good = shown and not (bad or tally.failed or code or missing)
    return f"{_GOOD if is_good else _BROKEN} {_markdown('; '.join(clauses))}"


def _surroundings(document: Document) -> Iterator[str]:
    for words in document.environment.interpreters(own_tests=bool(document.tests)):
        yield f"- {_markdown(words)}"
    machine = document.environment.machine
    gpus = f"{', '.join(machine.gpus)}, driver {machine.driver or 'unknown'}" if machine.gpus else "no GPU"
    cpus = counted(machine.cpus, "CPU")
    yield f"- {_markdown(f'Linux {machine.linux}, {machine.architecture}, {cpus}; {gpus}')}"
    missing: dict[str, list[str]] = {}
    for name, reason in document.environment.capabilities.items():
        missing.setdefault(reason, []).append(name)
    for reason, names in missing.items():
        yield "- " + _markdown(f"not checked: {', '.join(names)}: {reason}")


def _matrix(document: Document) -> Iterator[str]:
    """A table of fault x example for each kernel and provisioner, and one of its scenarios, which have no column."""
    examples = columns(document.verdicts)
    blocks: dict[tuple[str, str], list[Verdict]] = {}
    several = len(document.environment.kernels) > 1
    for one in document.verdicts:
        blocks.setdefault((one.setting.whose if several else "", one.setting.provisioner), []).append(one)
    for (kernel, provisioner), verdicts in blocks.items():
        title = f"{provisioner}, {kernel}" if several else provisioner
        struck = [
            (_fault(one.setting), one.setting.example, one) for one in verdicts if one.setting.example in examples
        ]
        yield from _table(title, struck)
        others = [
            (f"{one.setting.example}, {_fault(one.setting)}", "", one)
            for one in verdicts
            if one.setting.example not in examples
        ]
        yield from _table(f"{title}: scenarios", others)


def _table(title: str, places: Sequence[tuple[str, str, Verdict]]) -> Iterator[str]:
    """Of verdicts, each with its row and its column; nothing for none."""
    rows: dict[str, dict[str, list[Verdict]]] = {}
    for row, column, one in places:
        rows.setdefault(row, {}).setdefault(column, []).append(one)
    heads = unique(column for _, column, _ in places)
    if rows:
        lines = [_row([title, *heads]), "|---" * (len(heads) + 1) + "|"]
        lines += [_row([row, *(_cell(cells.get(head, ())) for head in heads)]) for row, cells in rows.items()]
        yield "\n".join([*lines, ""])


def _fault(setting: Setting) -> str:
    fault = "no fault" if setting.fault == "none" else setting.fault
    return fault if setting.phase == "idle" else f"{fault} while {setting.phase}"


def _cell(verdicts: Sequence[Verdict]) -> str:
    tally = VerdictCounts.of(verdicts)
    return f"{tally.symbol} {tally.words}" if verdicts else ""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(map(_markdown, cells))} |"


def _of_trial(verdicts: Sequence[Verdict], trial: Trial | None) -> str:
    lines = [f"- {one.verdict} {_markdown(f'{one.guarantee}: {one.said}')}" for one in verdicts]
    lines += ["", _fenced("\n".join(f'pytest "{one.item}"' for one in verdicts))]
    if trial is not None and trial.death is not None and trial.death.report:
        lines += ["", "Post-mortem:", "", _fenced(trial.death.report)]
    return "\n".join(lines)


def _details(title: str, body: str) -> str:
    # The blank lines make GitHub read the body as Markdown, and not as HTML like the title.
    return f"<details><summary>{html.escape(one_line(title))}</summary>\n\n{body}\n\n</details>\n"


def _fenced(text: str) -> str:
    """A block of code: only as many backticks as its own fence has could end it."""
    body = visible(clip(text, _MOST_REPORT)).strip("\n")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    return f"{fence}text\n{body}\n{fence}"


def _markdown(text: str) -> str:
    return escape(clip(one_line(text), _MOST_MESSAGE))
