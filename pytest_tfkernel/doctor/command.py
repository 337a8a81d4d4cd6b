"""`python -I -m pytest_tfkernel doctor`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import UNTOLD, Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.doctor.examine import Question
    from pytest_tfkernel.doctor.findings import Examination
    from pytest_tfkernel.doctor.site import Site
    from pytest_tfkernel.kernels.launcher import Launcher

HELP = "what this machine can check, who holds its GPUs, and what to change"

DESCRIPTION = """\
Say what this machine can check, who holds its GPUs now, and what to change.

With --require, for hooks of CI runners, say only whether the requirements are met. Exit codes: 0 met, 1 not met,
2 can't tell, 3 a GPU is lost; of several requirements the worst answer counts: 3, then 2, 1, 0.
"""

# For everything beside the wait, the start of the interpreter too. What still hangs by then is left to the
# supervisor, which ends it after us.
_SECONDS = 1.85
_CLOSE_SECONDS = 0.3
_NAME = "doctor"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="print JSON, schema 1 (docs/runners.md)")
    parser.add_argument(
        "--python",
        metavar="PATH",
        default=sys.executable,
        help="the interpreter whose TensorFlow is looked for, without importing it (default: this one)",
    )
    parser.add_argument(
        "--require",
        metavar="NAME",
        action="append",
        default=[],
        help="what must be there: gpu-idle, which makes no CUDA context, or a capability such as oom-kill;"
        " repeat it for several",
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        default=0.0,
        help="how long to wait until gpu-idle is met (default: 0)",
    )


def run(options: argparse.Namespace, site: Site | None = None) -> Answer:
    """Examine the machine: exit code, and what goes to stdout and to stderr.

    Where only gpu-idle is asked for, this process ends at its deadline whatever it waits for.
    """
    from pytest_tfkernel.doctor import examine, show
    from pytest_tfkernel.doctor.idle import GPU_IDLE
    from pytest_tfkernel.doctor.site import Site
    from pytest_tfkernel.model.errors import TFKernelError

    requirements = tuple(dict.fromkeys(options.require))
    unknown = [name for name in requirements if name not in examine.NAMES]
    if unknown:
        return untold(_NAME, f"usage error: --require={unknown[0]}: unknown; choose from {', '.join(examine.NAMES)}")
    if options.wait and GPU_IDLE not in requirements:
        return untold(_NAME, "usage error: --wait is for --require=gpu-idle")
    question = examine.Question(requirements, options.python, options.wait)
    # What else is asked for may take longer, a context for instance.
    timer = _start_timer(options.wait) if requirements == (GPU_IDLE,) else None
    try:
        found = _examine(question, site or Site())
    except TFKernelError as error:
        return untold(_NAME, error)
    finally:
        if timer is not None:
            timer.cancel()
    code = examine.worst(found.results).value
    said, unclear = show.answers(found) if requirements else (show.report(found), "")
    return code, show.as_json(found) if options.json else said, unclear


def _examine(question: Question, site: Site) -> Examination:
    from pytest_tfkernel.doctor.examine import examine
    from pytest_tfkernel.kernels.launcher import Launcher

    launcher = Launcher()
    try:
        return examine(question, launcher, site)
    finally:
        _close(launcher)


def _close(launcher: Launcher) -> None:
    """End the helpers; what waits in the driver for ever can't be ended, and isn't waited for."""
    closing = threading.Thread(target=launcher.close, daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)


def _start_timer(wait: float) -> threading.Timer:
    seconds = wait + _SECONDS
    timer = threading.Timer(max(0.0, seconds - _age()), _give_up, [seconds])
    timer.daemon = True
    timer.start()
    return timer


def _age() -> float:
    """Seconds since this process began, 1 at most: an odd clock must not end us before we have looked."""
    from pytest_tfkernel._child import proc

    began = proc.start_time(os.getpid())
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    return 0.0 if began is None else min(1.0, max(0.0, now - began / os.sysconf("SC_CLK_TCK")))


def _give_up(seconds: float) -> None:
    """End this process with the code of "can't tell", whatever it waits for."""
    os.write(2, f"gpu-idle: can't tell: no answer within {seconds:.2f} s: NVML or /proc hangs\n".encode())
    os._exit(UNTOLD)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return seconds
