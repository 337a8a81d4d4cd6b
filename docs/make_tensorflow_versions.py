"""`python docs/make_tensorflow_versions.py` writes docs/tensorflow-versions.md from the run documents in reference/."""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from packaging.version import Version

from pytest_tfkernel.report.compare.comparison import compare
from pytest_tfkernel.report.compare.differences import Change, Difference
from pytest_tfkernel.report.compare.groups import sections
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.document import Document, Moment, StateWord, Trial
from pytest_tfkernel.report.store import load

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "reference"
PAGE = ROOT / "docs" / "tensorflow-versions.md"

# Of one machine on one day: they have a table of their own.
_MEASURED = {Change.SLOWER, Change.FASTER, Change.MEMORY, Change.LESS_MEMORY}
# Their judges count what differs from run to run: unfinished files, hosts, milliseconds.
_COUNTING = ("checkpoint-outlives", "hosts-agree")
# What their judges say differs by version, in words.
_TELLING = ("interrupt-is-heard", "import-is-repeatable", "live-fork-is-unusable", "eager-needs-graph")
_LONGEST = 150
_NUMBERS = re.compile(r"\d+")
_NIGHTLY = re.compile(r"\.dev(\d{4})(\d\d)(\d\d)$")
_STATES: tuple[StateWord, ...] = ("PASS", "FAIL", "KNOWN", "UNKNOWN")


def documents() -> dict[str, Document]:
    """The run documents, by the version of TensorFlow, the oldest first."""
    found = {path.stem.removeprefix("tensorflow-"): load(path) for path in REFERENCE.glob("tensorflow-*.json")}
    return dict(sorted(found.items(), key=lambda item: Version(item[0])))


def named(version: str) -> str:
    """What a version is called; a nightly with its date."""
    date = _NIGHTLY.search(version)
    return f"{version} (a nightly of {'-'.join(date.groups())})" if date else version


def page(runs: dict[str, Document]) -> str:
    """The whole page."""
    lines = [*_head(runs), *_environments(runs), *_telling(runs), *_errors(runs), *_figures(runs), *_steps(runs)]
    return "\n".join(lines) + "\n"


def _head(runs: dict[str, Document]) -> list[str]:
    first, last = next(iter(runs)), next(reversed(runs))
    machine = runs[last].environment.machine
    return [
        f"# Process lifetime, from TensorFlow {first} to {named(last)}",
        "",
        "This page is made by `python docs/make_tensorflow_versions.py` from the run documents in",
        (
            "[reference/](../reference), each of which `pytest --tfkernel -n 2` wrote on one machine"
            f" (Linux {machine.linux}, {machine.cpus} CPUs, no GPU)."
        ),
        "Every line names the record that it comes from: a guarantee and a setting, as they stand in the documents.",
        "",
    ]


def _environments(runs: dict[str, Document]) -> Iterator[str]:
    yield f"| TensorFlow | Python | NumPy | Keras | run on | trials | {' | '.join(_STATES)} |"
    yield f"|---{'|---' * (5 + len(_STATES))}|"
    for version, run in runs.items():
        (kernel,) = run.environment.kernels
        states = [one.verdict for one in run.verdicts]
        counts = " | ".join(str(states.count(state)) for state in _STATES)
        packages = " | ".join(kernel.packages.get(name, "") for name in ("numpy", "keras"))
        facts = f"{named(version)} | {kernel.python} | {packages} | {run.began[:10]} | {len(run.trials)}"
        yield f"| {facts} | {counts} |"
    unknown = {
        (one.guarantee, one.reason.splitlines()[0])
        for run in runs.values()
        for one in run.verdicts
        if one.verdict == "UNKNOWN"
    }
    if unknown:
        yield ""
        yield "What could not be looked at:"
        yield ""
        yield from (f"- `{guarantee}`: {reason}" for guarantee, reason in sorted(unknown))


def _telling(runs: dict[str, Document]) -> Iterator[str]:
    yield from ("", "## What the judges say", "", "The same verdict may have another reason in another version.", "")
    for guarantee in _TELLING:
        said: dict[str, list[str]] = {}
        items = set()
        for version, run in runs.items():
            for one in run.verdicts:
                if one.guarantee == guarantee:
                    items.add(one.item)
                    said.setdefault(f"{one.verdict}: {_plain(one.reason)}", []).append(version)
        if said:
            yield f"`{guarantee}`, in {', '.join(f'`{item}`' for item in sorted(items))}:"
            yield ""
            yield from (f"- {', '.join(versions)}: {reason}" for reason, versions in said.items())
            yield ""


def _errors(runs: dict[str, Document]) -> Iterator[str]:
    """Errors of faults that a kernel survives, where they are not the same in all versions."""
    raised: dict[str, dict[str, list[str]]] = {}
    for version, run in runs.items():
        for trial in run.trials:
            if trial.error_type is not None:
                raised.setdefault(trial.setting.fault, {}).setdefault(trial.error_type, [])
                versions = raised[trial.setting.fault][trial.error_type]
                if version not in versions:
                    versions.append(version)
    different = {fault: types for fault, types in raised.items() if len(types) > 1}
    if different:
        yield from ("## Errors that changed", "", "| fault | error | in |", "|---|---|---|")
        for fault, types in different.items():
            yield from (f"| `{fault}` | `{kind}` | {', '.join(versions)} |" for kind, versions in types.items())
        yield ""


def _figures(runs: dict[str, Document]) -> Iterator[str]:
    """Medians over the trials of each version."""
    yield from (
        "## Figures",
        "",
        "Medians over the trials of one run, on one machine; they say how large, not how fast.",
        "",
    )
    yield f"| | {' | '.join(runs)} |"
    yield f"|---{'|---' * len(runs)}|"
    for title, provisioner, value in _FIGURES:
        cells = [_median(run, provisioner, value) for run in runs.values()]
        yield f"| {title} | {' | '.join(cells)} |"
    yield ""


def _median(run: Document, provisioner: str, value: Callable[[Trial], float | None]) -> str:
    found = [
        one
        for trial in run.trials
        if trial.setting.provisioner == provisioner
        for one in [value(trial)]
        if one is not None
    ]
    return f"{statistics.median(found):.3g}" if found else ""


def _span(first: str, second: str) -> Callable[[Trial], float | None]:
    def value(trial: Trial) -> float | None:
        one, other = _moment(trial, first), _moment(trial, second)
        return other.seconds - one.seconds if one is not None and other is not None else None

    return value


def _held(name: str) -> Callable[[Trial], float | None]:
    def value(trial: Trial) -> float | None:
        moment = _moment(trial, "fault")
        if moment is None:
            return None
        return moment.memory / (1 << 20) if name == "memory" and moment.memory is not None else moment.threads

    return value


def _moment(trial: Trial, name: str) -> Moment | None:
    return next((moment for moment in trial.timeline if moment.name == name), None)


_FIGURES: tuple[tuple[str, str, Callable[[Trial], float | None]], ...] = (
    ("cold: import and first look, s", "subprocess", _span("started", "cell")),
    ("cold: resident before the fault, MiB", "subprocess", _held("memory")),
    ("warm: death to post-mortem, s", "forkserver", _span("death", "noticed")),
    ("warm: restart to rebuilt session, s", "forkserver", _span("restarted", "rebuilt")),
    ("warm: threads before the fault", "forkserver", _held("threads")),
)


def _steps(runs: dict[str, Document]) -> Iterator[str]:
    """What each version changed, as `python -m pytest_tfkernel compare` has it."""
    names = " and ".join(f"`{one}`" for one in _COUNTING)
    yield from ("## Step by step", "", f"Left out are {names}: what they count differs from run to run.", "")
    versions = list(runs)
    for before, after in itertools.pairwise(versions):
        found = compare(Side(before, runs[before]), Side(after, runs[after]))
        lost = [one.name for one in found.differences if one.regression]
        yield from (f"### {before} to {named(after)}", "", f"Guarantees lost: {', '.join(lost) or 'none'}.", "")
        kept = [one for one in found.differences if one.change not in _MEASURED and one.name not in _COUNTING]
        yield from _entries(kept)


def _entries(differences: Sequence[Difference]) -> Iterator[str]:
    for section in sections(differences):
        yield f"{section.title}:"
        yield ""
        for group in section.groups:
            became = f": {_code(group.before)} became {_code(group.after)}" if group.before or group.after else ""
            more = f" and {len(group.places) - 1} more" if len(group.places) > 1 else ""
            place = f" (`{group.places[0]}`{more})" if group.places else ""
            yield f"- {group.what}{became}{place}"
        yield ""


def _code(text: str) -> str:
    line = " ".join(text.split()).replace("`", "'")
    return f"`{line[:_LONGEST]}{'...' if len(line) > _LONGEST else ''}`" if text else "nothing"


def _plain(reason: str) -> str:
    """One line, without process ids and the like."""
    return _NUMBERS.sub(lambda found: "N" if len(found[0]) > 3 else found[0], " ".join(reason.split()))  # noqa: PLR2004


if __name__ == "__main__":
    PAGE.write_text(page(documents()), encoding="utf-8")
