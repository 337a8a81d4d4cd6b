"""Run documents of runs that never were, of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.store import INCOMPLETE, Writer

MACHINE = parts.Machine(linux="6.1.0", architecture="x86_64", cpus=2, memory=24 << 30, cgroup=1)
# A text that would break out of wherever it is put.
ODD = "100%|a,b::c<script>&amp;`x`\x1b[31m red\x1b[0m\r\n\r\n```\n````\n</details>\n# c\u2028\u202e\ud800 [l](u) @me\0"
_EXAMPLES = ("graph_add", "variable_assign", "gpu_matmul")


def kernel(tensorflow: str, python: str = "3.11.7") -> parts.Kernel:
    """An interpreter with a TensorFlow."""
    label = f"tf{tensorflow}-py{python.rpartition('.')[0]}"
    return parts.Kernel(label=label, executable=f"/opt/{label}/bin/python", python=python, tensorflow=tensorflow)


def beside(tensorflow: str | None, python: str = "3.11.7") -> parts.Beside:
    """The interpreter of pytest, with a TensorFlow or without."""
    return parts.Beside(executable="/usr/bin/python3", python=python, tensorflow=tensorflow)


def setting(number: int, label: str) -> parts.Setting:
    """A different one for each number."""
    fault, phase = f"fault{number // 3}", "idle"
    return parts.Setting(
        kernel=label, provisioner="forkserver", example=_EXAMPLES[number % 3], fault=fault, phase=phase
    )


def trial(setting: parts.Setting, **changes: Any) -> parts.Trial:
    """One in which the kernel was killed and came back."""
    death = parts.Death(
        signal="SIGKILL", cause="signal", killer="us", uptime=0.2, cpu=0.1, peak_memory=200 << 20, report="killed"
    )
    names = ("started", "cell", "fault", "death", "noticed", "settled", "restarted", "rebuilt")
    timeline = [
        parts.Moment(name=name, seconds=place * 0.05, memory=(100 + place) << 20, threads=9 + place, handles=12)
        for place, name in enumerate(names)
    ]
    fields: dict[str, Any] = {"seconds": 0.4, "result": 5.0, "death": death, "timeline": timeline, **changes}
    return parts.Trial(setting=setting, **fields)


def leak(kind: str, name: str, detail: str = "") -> parts.Leak:
    """Something that was left."""
    return parts.Leak(kind=kind, name=name, detail=detail)


def verdict(
    setting: parts.Setting, guarantee: str = "session-is-rebuilt", state: parts.StateWord = "PASS", reason: str = ""
) -> parts.Verdict:
    """One verdict of a trial."""
    item = f"tfkernel::{guarantee}[{setting}]"
    return parts.Verdict(guarantee=guarantee, setting=setting, item=item, verdict=state, reason=reason)


def document(count: int = 6, tensorflow: str = "2.21.0", tests: int = 3) -> parts.Document:
    """A complete run of `count` trials with two verdicts each, in which everything passed."""
    found = kernel(tensorflow)
    settings = [setting(number, found.label) for number in range(count)]
    guarantees = ("process-is-new", "session-is-rebuilt")
    return parts.Document(
        format=parts.FORMAT,
        schema=parts.SCHEMA,
        complete=True,
        began="2026-01-01T00:00:00Z",
        environment=parts.Environment(
            machine=MACHINE, kernels=[found], pytest=beside(tensorflow), packages={"pytest": "9.2.0"}
        ),
        trials=[trial(one) for one in settings],
        verdicts=[verdict(one, guarantee) for one in settings for guarantee in guarantees],
        tests=[parts.Test(item=f"test_mine.py::test_{n}", outcome="passed", seconds=0.1) for n in range(tests)],
        end=parts.End(seconds=12.0, exit_code=0, collected=2 * count + tests),
    )


def with_trial(document: parts.Document, number: int, **changes: Any) -> parts.Document:
    """The same, but for one trial."""
    trials = [*document.trials]
    trials[number] = msgspec.structs.replace(trials[number], **changes)
    return msgspec.structs.replace(document, trials=trials)


def with_verdict(document: parts.Document, number: int, **changes: Any) -> parts.Document:
    """The same, but for one verdict."""
    verdicts = [*document.verdicts]
    verdicts[number] = msgspec.structs.replace(verdicts[number], **changes)
    return msgspec.structs.replace(document, verdicts=verdicts)


def with_test(document: parts.Document, number: int, **changes: Any) -> parts.Document:
    """The same, but for one of the user's tests."""
    tests = [*document.tests]
    tests[number] = msgspec.structs.replace(tests[number], **changes)
    return msgspec.structs.replace(document, tests=tests)


def with_options(document: parts.Document, *options: str) -> parts.Document:
    """The same, of a run that was asked for with these words."""
    environment = msgspec.structs.replace(document.environment, options=list(options))
    return msgspec.structs.replace(document, environment=environment)


def with_own(document: parts.Document, own: parts.Beside | None) -> parts.Document:
    """The same, of a pytest that ran there; with None, as older versions have written it."""
    return msgspec.structs.replace(document, environment=msgspec.structs.replace(document.environment, pytest=own))


def of_kernels(*tensorflows: str, count: int = 6) -> parts.Document:
    """One run with a kernel of each of these TensorFlows."""
    each = [document(count, tensorflow, tests=1) for tensorflow in tensorflows]
    environment = msgspec.structs.replace(
        each[0].environment, kernels=[kernel for one in each for kernel in one.environment.kernels]
    )
    return msgspec.structs.replace(
        each[0],
        environment=environment,
        trials=[part for one in each for part in one.trials],
        verdicts=[part for one in each for part in one.verdicts],
    )


def start(document: parts.Document) -> parts.Start:
    """The first part of a document."""
    return parts.Start(
        format=document.format, schema=document.schema, began=document.began, environment=document.environment
    )


def write(path: Path, document: parts.Document) -> Path:
    """Put a document on disk as a run does, or as one that was killed has left it; where it lies."""
    writer = Writer(path, start(document))
    written: list[parts.Trial | parts.Verdict | parts.Test] = [*document.trials, *document.verdicts, *document.tests]
    for part in written:
        writer.add(part)
    if document.end is None:
        writer.close()
        return path.with_name(path.name + INCOMPLETE)
    writer.finish(document.end)
    return path


def moment(name: str, seconds: float, memory: int | None = None, gpu_memory: int | None = None) -> parts.Moment:
    """One of a timeline."""
    return parts.Moment(name=name, seconds=seconds, memory=memory, gpu_memory=gpu_memory)


def cut_short(document: parts.Document) -> parts.Document:
    """The same, of a run that didn't come to its end."""
    return msgspec.structs.replace(document, complete=False, end=None)
