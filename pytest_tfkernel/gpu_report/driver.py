"""`python -m pytest_tfkernel.gpu_report.driver DOCUMENT [FAULT...]`: measures a card without TensorFlow.

FAULTs are those that may be played although they may harm others. What `gpu-report` starts for its part `driver`: exit
0, 1 where a check FAILs, 2 with a line on stderr where none can be made.
"""

from __future__ import annotations

import datetime as dt
import platform
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from pytest_tfkernel.gpu_report import releases, sharing
from pytest_tfkernel.gpu_report.bench import Bench
from pytest_tfkernel.gpu_report.checks import Check
from pytest_tfkernel.gpu_report.figures import FORMAT, SCHEMA, Figures, Notebook
from pytest_tfkernel.gpu_report.machine import Card
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.model.trials import State, Verdict

_CANT_TELL = 2


def checks(allow: Collection[str]) -> Iterator[Check]:
    """All of them, in their order."""
    yield from sharing.checks()
    yield from releases.checks()
    for one in (*sharing.greedy(), *releases.harmful()):
        if one.harm in allow:
            yield one
        else:
            yield Check(one.name, lambda _, harm=one.harm: Verdict.unknown(f"not allowed: add --allow={harm}"))  # type: ignore[misc]


def measure(document: Path, allow: Collection[str], launcher: Launcher, gpus: Gpus) -> int:
    """Make all checks; the exit code. Raises ReportError where the document can't be written."""
    known = gpus.calibration
    if gpus.harm or not known.sees_processes:
        why = gpus.harm or f"{known.sight.value}: {known.reason}"
        sys.stderr.write(f"nothing can be measured: {printable(why)}\n")
        return _CANT_TELL
    began = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
    notes = Notebook(
        document,
        Figures(
            format=FORMAT,
            schema=SCHEMA,
            complete=False,
            card=Card.of(known),
            linux=platform.release(),
            python=platform.python_version(),
            began=began,
        ),
    )
    bench = Bench(launcher, gpus, known, notes.measured)
    states = set()
    for check in checks(allow):
        verdict = check.play(bench)
        notes.checked(check.name, verdict)
        sys.stdout.write(f"{verdict.state.value}: {check.name}: {printable(verdict.said)}\n".replace(": \n", "\n"))
        sys.stdout.flush()
        states.add(verdict.state)
    notes.finish()
    # A document in which nothing holds is red, too.
    return int(State.FAIL in states or State.PASS not in states)


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit code."""
    document, *allow = arguments
    try:
        with Launcher() as launcher:
            gpus = Gpus(launcher)
            try:
                return measure(Path(document), allow, launcher, gpus)
            finally:
                gpus.close()
    except (ReportError, TFKernelError) as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        return _CANT_TELL
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
