"""`python docs/make_gpu.py` writes the marked sections of docs/gpu.md from the reports in reference/gpu/.

`python docs/make_gpu.py FOLDER...` prints those sections for other reports, such as one of `gpu-report`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfkernel.gpu_report import figures
from pytest_tfkernel.gpu_report.figures import Figure, Figures
from pytest_tfkernel.gpu_report.machine import STAND_IN
from pytest_tfkernel.gpu_report.plan import NAMES
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.model.gpus import is_stand_in
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.document import Document, Trial
from pytest_tfkernel.report.store import INCOMPLETE, DocumentError, load
from pytest_tfkernel.suite.scenarios.gpu import NAME as RELEASED

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference" / "gpu"
PAGE = ROOT / "docs" / "gpu.md"

_FILE = re.compile(rf"({'|'.join(NAMES)})(?:-(\d+))?\.json(?:{re.escape(INCOMPLETE)})?")
_MIB, _GIB = 1 << 20, 1 << 30
_STATES = ("PASS", "FAIL", "KNOWN", "UNKNOWN")
_UNMEASURED = (
    "TensorFlow itself has not been run on a GPU yet: the trials of `gpu_matmul` and `gpu-is-released` with\n"
    "TensorFlow are unmeasured there."
)


@dataclass(frozen=True)
class Report:
    """What one folder has: the figures without TensorFlow, and the runs with it by the name of their part."""

    name: str
    figures: Figures | None
    runs: dict[str, Document]

    @property
    def cards(self) -> tuple[str, str]:
        """The names of its GPUs, and the version of their driver."""
        if self.figures is not None:
            return ", ".join(self.figures.card.names), self.figures.card.driver
        machines = [run.environment.machine for run in self.runs.values()]
        return ", ".join(machines[0].gpus), machines[0].driver or ""

    @property
    def stand_in(self) -> bool:
        """Whether one of its documents is of a driver that says that it is none of NVIDIA's."""
        told = self.figures is not None and self.figures.card.stand_in
        machines = [run.environment.machine for run in self.runs.values()]
        return told or is_stand_in(*self.cards, *(name for one in machines for name in (*one.gpus, one.driver or "")))


def reports(folders: Iterable[Path]) -> list[Report]:
    """Those of these folders that have anything, in their order."""
    found = [_report(folder) for folder in folders if folder.is_dir()]
    return [one for one in found if one.figures is not None or one.runs]


def _report(folder: Path) -> Report:
    """Of several attempts at a part, the one that is whole, or the last one."""
    measured: dict[str, Figures] = {}
    runs: dict[str, Document] = {}
    for path in sorted(folder.iterdir(), key=_attempt):
        matched = _FILE.fullmatch(path.name)
        if matched is None:
            continue
        try:
            if matched[1] == "driver":
                one = figures.load(path)
                if one.complete or not any(other.complete for other in measured.values()):
                    measured[matched[1]] = one
            elif matched[1] != "doctor":
                run = load(path)
                if run.complete or not (matched[1] in runs and runs[matched[1]].complete):
                    runs[matched[1]] = run
        except (ReportError, DocumentError) as error:
            sys.stderr.write(f"left out: {error}\n")
    return Report(folder.name, measured.get("driver"), {name: runs[name] for name in NAMES if name in runs})


def _attempt(path: Path) -> tuple[int, str]:
    matched = _FILE.fullmatch(path.name)
    return int(matched[2] or 1) if matched is not None else 0, path.name


def sections(found: Sequence[Report]) -> dict[str, str]:
    """The text of each, by its name. What a stand-in shows is in a section of its own and in no other."""
    real = [one for one in found if not one.stand_in]
    played = [one for one in found if one.stand_in]
    lines = {
        "cards": [*_cards(real), *([] if any(map(_has_run, real)) else ["", _UNMEASURED])],
        "figures": [*_figures(real)],
        "releases": [*_releases(real)] or [_UNMEASURED],
        "stand-ins": _stand_ins(played),
    }
    return {name: "\n".join(section) for name, section in lines.items()}


def page(text: str, found: Sequence[Report]) -> str:
    """The page with its sections made anew. Raises ValueError where one has no place in it."""
    for name, section in sections(found).items():
        begin, end = f"<!-- {name}: made by docs/make_gpu.py -->\n", f"<!-- end of {name} -->\n"
        before, mark, rest = text.partition(begin)
        _, closing, after = rest.partition(end)
        if not mark or not closing:
            raise ValueError(f"{PAGE.name} has no {begin.strip()} with its {end.strip()}")
        text = before + mark + (f"\n{section}\n\n" if section else "") + closing + after
    return text


def _stand_ins(played: Sequence[Report]) -> list[str]:
    if not played:
        return []
    tables = (_cards(played), _figures(played), _releases(played))
    return [
        "## Reports from stand-in drivers",
        "",
        f"A {STAND_IN}.",
        *(line for table in tables for line in ("", *table)),
    ]


def _cards(found: Sequence[Report]) -> Iterator[str]:
    yield "| report | GPU | driver | Linux | TensorFlow | what was run |"
    yield "|---|---|---|---|---|---|"
    for one in found:
        names, driver = one.cards
        linux = [one.figures.linux] if one.figures is not None else []
        linux += [run.environment.machine.linux for run in one.runs.values()]
        name = f"{_plain(names)} ({STAND_IN})" if one.stand_in else _plain(names)
        cells = [f"`{_plain(one.name)}`", name, _plain(driver), _plain(next(filter(None, linux), "")), _tensorflow(one)]
        yield f"| {' | '.join(cells)} | {'; '.join(_run(one))} |"


def _tensorflow(one: Report) -> str:
    """Its versions, and whether NVML has seen a kernel of it: that it ran where a GPU is says nothing of the GPU."""
    kernels = [kernel for run in one.runs.values() for kernel in run.environment.kernels]
    if not kernels:
        return "not run"
    versions = ", ".join(dict.fromkeys(_plain(kernel.tensorflow or "none") for kernel in kernels))
    return versions if _has_run(one) else f"{versions} (not seen on the GPU)"


def _run(one: Report) -> Iterator[str]:
    for name, run in one.runs.items():
        states = [verdict.verdict for verdict in run.verdicts]
        counts = ", ".join(f"{states.count(state)} {state}" for state in _STATES if state in states)
        yield f"{name}: {counts or 'nothing'}{'' if run.complete else ' (cut short)'}"
    if one.figures is not None:
        states = [check.state for check in one.figures.checks]
        counts = ", ".join(f"{states.count(state)} {state}" for state in _STATES if state in states)
        cut = "" if one.figures.complete else " (cut short)"
        yield f"driver: {_plain(one.figures.source) or counts or 'nothing'}{cut}"


def _figures(found: Sequence[Report]) -> Iterator[str]:
    """A column for each card; of each figure the median, the largest, and how many tries."""
    measured = {one.name: one.figures for one in found if one.figures is not None}
    if not measured:
        return
    yield f"| figure | {' | '.join(f'`{_plain(name)}`' for name in measured)} |"
    yield f"|---{'|---' * len(measured)}|"
    for name in dict.fromkeys(figure.name for one in measured.values() for figure in one.figures):
        cells = [next((_cell(one) for one in those.figures if one.name == name), "") for those in measured.values()]
        yield f"| {_plain(name)} | {' | '.join(cells)} |"


def _cell(one: Figure) -> str:
    unit = _seconds if one.unit == "s" else _bytes
    if one.below:
        return f"< {unit(one.largest)} ({one.tries})"
    if unit(one.largest) == unit(one.median):
        return f"{unit(one.median)} ({one.tries})"
    return f"{unit(one.median)}, at most {unit(one.largest)} ({one.tries})"


def _releases(found: Sequence[Report]) -> Iterator[str]:
    """What became of a kernel's part of the GPU by its fault, where NVML has seen the kernel there while it lived."""
    rows = {
        (one.name, trial.setting.fault): (one.name, run, trial)
        for one in found
        for run in one.runs.values()
        for trial in run.trials
        if trial.setting.example == RELEASED and _was_seen(trial)
    }
    if not rows:
        return
    yield "| report | TensorFlow | fault | held | gone after | the next one got | verdicts |"
    yield "|---|---|---|---|---|---|---|"
    for name, run, trial in rows.values():
        tensorflow = ", ".join(_plain(kernel.tensorflow or "none") for kernel in run.environment.kernels)
        held, again = trial.facts["held"], trial.facts.get("again", {})
        verdicts = "; ".join(f"`{one.guarantee}` {one.verdict}" for one in run.verdicts if one.setting == trial.setting)
        cells = [
            tensorflow,
            f"`{trial.setting.fault}`",
            _bytes(held.get("memory")),
            _gone(trial),
            _bytes(again.get("memory")),
        ]
        yield f"| `{_plain(name)}` | {' | '.join(cells)} | {verdicts} |"


def _has_run(one: Report) -> bool:
    """Whether NVML has seen a kernel with TensorFlow on the GPU."""
    return any(_was_seen(trial) for run in one.runs.values() for trial in run.trials)


def _was_seen(trial: Trial) -> bool:
    return bool(trial.facts.get("held", {}).get("listed"))


def _gone(trial: Trial) -> str:
    release: dict[str, Any] = trial.facts.get("release", {})
    if not release or release.get("error"):
        return "unknown"
    return "never" if release.get("listed") else _seconds(release["seconds"])


def _plain(text: str) -> str:
    """Text of others, which keeps to its cell: documents are sent by anybody."""
    return printable(text).replace("|", "\\|").replace("<", "&lt;")


def _seconds(number: float) -> str:
    if number < 0.001:  # noqa: PLR2004 - what a reading takes
        return "< 1 ms"
    return f"{number * 1000:.0f} ms" if number < 1 else f"{number:.2f} s"


def _bytes(number: float | None) -> str:
    if number is None:
        return "unknown"
    return f"{number / _GIB:.1f} GiB" if number >= 10 * _GIB else f"{number / _MIB:.0f} MiB"


def main(folders: Sequence[str]) -> None:
    """Write the page, or print the sections of other reports."""
    if folders:
        found = reports(map(Path, folders))
        print("\n\n".join(f"## {name}\n\n{text}" for name, text in sections(found).items() if text))
        return
    found = reports(sorted(REFERENCE.iterdir()))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
