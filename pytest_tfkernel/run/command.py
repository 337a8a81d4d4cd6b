"""`pytest-tfkernel run`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfkernel.model.commands import Answer, untold

if TYPE_CHECKING:
    from pytest_tfkernel.run.wishes import RunWishes

HELP = "your own script in a kernel, and why it died"

DESCRIPTION = """\
Run a script as `python FILE ARGUMENT...` does, in a kernel that is watched: what it prints comes as it comes, standard
input and Ctrl-C go to it, and its exit code is that of this command (128 and the number of the signal that ended it).
When it dies, say why: cause, killer, stack, memory, what it left, and what people do about it. All of that goes to
stderr. Options stand before FILE; what stands after it is the script's.

A notebook runs in Jupyter's kernel, cell by cell, until one fails; what the cells show is kept in a copy. It finds its
arguments in sys.argv[1:], too, and what it asks for with input() is read from standard input.

Ctrl-\\ ends a script that answers to nothing else, and shows where it was. What it leaves running is told, and ended.
Exit code 2, with one line on stderr: it can't begin.
"""
_NAME = "run"


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "words",
        metavar="FILE",
        # One argument, since a second one would lose a `--` that is the script's.
        nargs=argparse.PARSER,
        help="a .py file, or an .ipynb notebook; what stands after it is found in sys.argv[1:]",
    )
    parser.add_argument(
        "--python", metavar="PATH", help="the interpreter (default: this one; of a notebook, the one that it asks for)"
    )
    parser.add_argument(
        "--provisioner",
        metavar="NAME",
        help="how its process is started (default: subprocess, which is what `python` does; of a notebook: jupyter)",
    )
    parser.add_argument("--memory", metavar="SIZE", type=_size, help="a limit, such as 512M or 2G; needs a cgroup")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=math.inf,
        help="end it after so long, and show where it was (default: never)",
    )
    parser.add_argument(
        "--fault",
        metavar="FAULT[@PHASE|@SECONDS]",
        help="strike it, to see how it recovers: sigkill@30, or oom-kill@running (default: after 1 s; what needs"
        " TensorFlow: in phase running)",
    )
    parser.add_argument(
        "--report", metavar="FILE", type=Path, help="write what is known of the run: a page (.html), or JSON (.json)"
    )
    parser.add_argument(
        "--restart",
        metavar="CELL",
        type=int,
        help="of a notebook: go on after a death at this cell, to show what must be run again",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="of a notebook: its copy (default: NAME.run.ipynb, beside it)"
    )


def run(options: argparse.Namespace) -> Answer:
    """Run the script: its exit code; what goes to stdout and stderr has gone by then."""
    from pytest_tfkernel._child import streams
    from pytest_tfkernel.model.errors import SupervisorGoneError, TFKernelError
    from pytest_tfkernel.run import reports
    from pytest_tfkernel.run.faults import Aim
    from pytest_tfkernel.run.refusals import WishError
    from pytest_tfkernel.run.wishes import RunWishes, check_file

    # Older versions of Python leave the `--` that is ours.
    name, *arguments = options.words[options.words[0] == "--" :] or [""]
    file = Path(name)
    # Where a standard stream is closed, a file of ours would stand in its place.
    streams.settle()
    try:
        check_file(file)
        aim = Aim.read(options.fault) if options.fault is not None else None
        if options.report is not None:
            reports.check(options.report)
        wishes = RunWishes(
            file=file,
            arguments=tuple(arguments),
            python=sys.executable if options.python is None else options.python,
            provisioner=options.provisioner if options.provisioner is not None else _provisioner_of(file),
            memory=options.memory,
            timeout=options.timeout,
            aim=aim,
            report=options.report,
            restart=options.restart,
            output=options.output,
            has_python=options.python is not None,
        )
        wishes.check()
        return _run(wishes), "", ""
    except SupervisorGoneError:
        return untold(_NAME, f"how {file} has ended isn't known: its parent process, which watches it, was ended")
    except (WishError, TFKernelError) as error:
        return untold(_NAME, error)


def _provisioner_of(file: Path) -> str:
    from pytest_tfkernel.run.wishes import is_notebook

    return "jupyter" if is_notebook(file) else "subprocess"


def _run(wishes: RunWishes) -> int:
    from pytest_tfkernel.run import managed, notebook, reports, runs, show

    more = ""
    if wishes.is_notebook:
        _say("".join(f"pytest-tfkernel: {line}\n" for line in wishes.doubts()))
        story, more = notebook.run(wishes, _say)
    elif wishes.is_managed:
        story = managed.run(wishes)
    else:
        story = runs.run_script(wishes)
    _say(show.story(story))
    _say("".join(f"pytest-tfkernel: {line}\n" for line in more.splitlines()))
    if wishes.report is not None:
        try:
            reports.write(wishes.report, story)
        except OSError as error:
            _say(f"{_NAME}: {wishes.report} can't be written: {error.strerror}\n")
    return story.code


def _say(text: str) -> None:
    """To stderr, if anybody reads it, as it is encoded there."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        return


def _size(text: str) -> int:
    from pytest_tfkernel.run.wishes import size

    try:
        return size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds
