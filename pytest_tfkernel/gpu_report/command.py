"""`python -I -m pytest_tfkernel gpu-report`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.gpu_report.folder import Folder
    from pytest_tfkernel.gpu_report.machine import Setup
    from pytest_tfkernel.gpu_report.plan import Wishes
    from pytest_tfkernel.kernels.launcher import Launcher

HELP = "everything that can be measured on this machine's GPU, into a folder to send to us"

DESCRIPTION = """\
Measure everything that can be measured on this machine's GPU, within a time limit: the suite in sizes smoke and
standard, faults that may harm others if they are allowed, contexts without TensorFlow, and doctor. Each part is a
document of its own in FOLDER; index.json says what was run. The same command, run again, goes on with what is missing.

Exit codes: 0 all parts are there and green; 1 a part is missing or red: something FAILs in it, or nothing PASSes; 2 it
can't begin or go on, and stderr says why in one line; 130 interrupted.
"""
_DONE, _RED, _INTERRUPTED = 0, 1, 130
_MINUTES = 15.0
_LONGEST = 24 * 60.0
_DEVICES = Path("/dev")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the report goes: a new folder, or its own")
    parser.add_argument(
        "--minutes",
        metavar="N",
        type=_minutes,
        default=_MINUTES,
        help=f"how long all of it may take, at least 1 (default: {_MINUTES:g})",
    )
    parser.add_argument(
        "--allow",
        metavar="FAULT",
        action="append",
        default=[],
        help="play a fault that may harm other users of the GPU: oom-gpu or cuda-fault; repeat it for several",
    )
    parser.add_argument(
        "--part",
        metavar="NAME",
        action="append",
        default=[],
        help="only this part: smoke, standard, oom-gpu, cuda-fault, driver or doctor; repeat it for several. The last"
        " two need no TensorFlow",
    )
    parser.add_argument(
        "--python",
        metavar="PATH",
        default=sys.executable,
        help="the interpreter in which kernels run, which has TensorFlow (default: this one)",
    )
    parser.add_argument(
        "--workers", metavar="N", type=_workers, default=0, help="play the suite on this many workers of pytest-xdist"
    )


def run(options: argparse.Namespace, devices: Path = _DEVICES) -> Answer:
    """Make the report: exit code, and what goes to stdout and to stderr at the end; stdout has the steps before."""
    from pytest_tfkernel.gpu_report.folder import Folder
    from pytest_tfkernel.gpu_report.writing import ReportError
    from pytest_tfkernel.kernels.launcher import Launcher
    from pytest_tfkernel.model.errors import TFKernelError
    from pytest_tfkernel.processes.stopping import stopped_by_signals

    try:
        wishes = _wishes(options)
        with stopped_by_signals(), Launcher() as launcher:
            setup = _look(launcher, wishes, devices)
            with Folder(options.folder) as folder:
                return _report(folder, setup, wishes, launcher, options.minutes)
    except (ReportError, TFKernelError) as error:
        return untold("gpu-report", error)
    except KeyboardInterrupt:
        return _INTERRUPTED, "", "gpu-report: interrupted: the same command, run again, goes on\n"


def _wishes(options: argparse.Namespace) -> Wishes:
    from pytest_tfkernel.gpu_report.plan import NAMES, Wishes
    from pytest_tfkernel.gpu_report.writing import ReportError
    from pytest_tfkernel.suite.settings import HARMFUL

    for option, given, known in (("allow", options.allow, HARMFUL), ("part", options.part, NAMES)):
        unknown = [name for name in given if name not in known]
        if unknown:
            raise ReportError(f"usage error: --{option}={unknown[0]}: unknown; choose from {', '.join(known)}")
    for name in options.part:
        if name in HARMFUL and name not in options.allow:
            raise ReportError(f"usage error: --part={name} may harm other users of the GPU: add --allow={name}")
    if options.workers and importlib.util.find_spec("xdist") is None:
        raise ReportError("--workers needs pytest-xdist: pip install 'pytest-tfkernel[xdist]', or leave it out")
    chosen = tuple(name for name in NAMES if name in options.part) or NAMES
    return Wishes(options.python, tuple(dict.fromkeys(options.allow)), chosen, options.workers)


def _look(launcher: Launcher, wishes: Wishes, devices: Path) -> Setup:
    """What a report would be made with. Raises ReportError where nothing could be measured on it, and SpecError."""
    from pytest_tfkernel.gpu_report.machine import Setup
    from pytest_tfkernel.gpu_report.plan import DOCTOR, DRIVER
    from pytest_tfkernel.gpu_report.writing import ReportError
    from pytest_tfkernel.machine.capabilities import gpu_capabilities
    from pytest_tfkernel.machine.gpus import Gpus

    interpreter = launcher.interpreter(wishes.python)
    gpus = Gpus(launcher, devices=devices)
    try:
        there = gpu_capabilities(gpus)[0]
        if not there.available:
            raise ReportError(f"this machine lacks {there.summary}: {there.reason}")
        if gpus.harm:
            raise ReportError(f"nothing may be killed here: {gpus.harm}")
        if interpreter.tensorflow is None and wishes.need_tensorflow:
            raise ReportError(
                f"there is no TensorFlow: `{interpreter.executable} -m pip install 'tensorflow[and-cuda]'`, or ask for"
                f" what needs none: --part={DRIVER} --part={DOCTOR}"
            )
        return Setup.of(gpus.calibration, interpreter)
    finally:
        # What the parts see on the GPU is none of ours.
        gpus.close()


def _report(folder: Folder, setup: Setup, wishes: Wishes, launcher: Launcher, minutes: float) -> Answer:
    from pytest_tfkernel.gpu_report.plan import parts
    from pytest_tfkernel.gpu_report.playing import Player
    from pytest_tfkernel.gpu_report.report import Report

    report = Report(folder, setup, _say)
    _say(f"gpu-report: {setup.card}")
    versions = f"TensorFlow {setup.tensorflow or 'none'}, Python {setup.python}"
    _say(f"gpu-report: {versions}, {minutes:g} min, {folder.path}")
    if setup.tensorflow is not None and setup.cuda is None and wishes.need_tensorflow:
        _say("gpu-report: this TensorFlow is built without CUDA and can't use it: pip install 'tensorflow[and-cuda]'")
    chosen = parts(wishes, launcher.temporary)
    if report.play(chosen, minutes * 60.0, Player(launcher)):
        raise KeyboardInterrupt
    missing, red = report.missing(chosen), report.red(chosen)
    if missing:
        said = f"gpu-report: missing: {', '.join(missing)}; the same command, run again, goes on\n"
    else:
        said = f"gpu-report: all of it is in {folder.path}{'; red: ' if red else ''}{', '.join(red)}\n"
    return (_RED if missing or red else _DONE), said, ""


def _say(line: str) -> None:
    """A line to stdout now, if anybody reads it."""
    from pytest_tfkernel.model.resources import printable

    with contextlib.suppress(OSError):
        os.write(1, f"{printable(line)}\n".encode("utf-8", "backslashreplace"))


def _number(text: str, least: float, most: float, kind: Callable[[str], float]) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not a number from {least:g} to {most:g}")
    return number


def _minutes(text: str) -> float:
    return _number(text, 1.0, _LONGEST, float)


def _workers(text: str) -> int:
    return int(_number(text, 0, 1000, int))
