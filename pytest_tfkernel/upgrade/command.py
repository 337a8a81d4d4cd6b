"""`python -I -m pytest_tfkernel upgrade`: its options, and what it says. Imports what is heavy when it runs."""

from __future__ import annotations

import argparse
import errno
from pathlib import Path

from pytest_tfkernel.model.commands import Answer, untold
from pytest_tfkernel.report.compare.command import declare_rules
from pytest_tfkernel.upgrade.folder import DEFAULT

HELP = "what another TensorFlow changes here: for the suite, and for your own tests"

DESCRIPTION = """\
Say what another TensorFlow changes on this machine: make an environment with each, run the suite in kernels of both,
run your own tests in each of them, and compare.

  upgrade 2.20 2.21                        the suite, with both
  upgrade 2.20 2.21 -e .[test] -- tests    and your own tests
  upgrade --bisect 2.15.1 2.21.0 -- ID     in which release a guarantee or a test changes

REF and CHANGED are a version (2.20), what pip installs (tf-nightly-cpu, tensorflow==2.21.*), or an interpreter. What
stands after -- is for the pytest that runs your tests in each environment.

Exit codes: 0 same or better, 1 worse: a guarantee or a test fails, or was not run, or what --fail-on names;
2 something can't be installed, run or compared, and stderr says what in one line; 130 interrupted.
"""
_NAME = "upgrade"
_INTERRUPTED = 130


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("ref", metavar="REF", help="the TensorFlow to compare with")
    parser.add_argument("changed", metavar="CHANGED", help="the other one")
    _declare_environments(parser.add_argument_group("environments"))
    _declare_suite(parser.add_argument_group("the suite"))
    _declare_bisection(parser.add_argument_group("bisection"))
    declare_rules(parser)
    parser.add_argument("--page", metavar="FILE.html", type=Path, help="write a page of CHANGED, with the comparison")


def _declare_environments(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--install",
        metavar="WHAT",
        action="append",
        default=[],
        help="what else goes into both environments: a requirement or a path; repeat it for several",
    )
    group.add_argument(
        "-r", "--requirement", metavar="FILE", action="append", default=[], help="requirements to install, as pip's -r"
    )
    group.add_argument(
        "-e", "--editable", metavar="PATH", action="append", default=[], help="a project to link, as pip's -e: .[test]"
    )
    group.add_argument(
        "--folder",
        metavar="FOLDER",
        type=Path,
        default=Path(DEFAULT),
        help=f"where the environments are kept, and the documents of the last run (default: {DEFAULT})",
    )
    group.add_argument("--fresh", action="store_true", help="make environments anew that are there already")
    group.add_argument(
        "--python", metavar="PATH", help="the Python of which environments are made (default: the one that runs this)"
    )
    group.add_argument(
        "--installer", choices=("uv", "pip"), help="who makes them (default: uv where it is on PATH, otherwise pip)"
    )


def _declare_suite(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--no-suite", action="store_true", help="compare your own tests alone")
    group.add_argument("--size", choices=("smoke", "standard", "full"), help="how much of the suite")
    for name, metavar, words in (
        ("provisioner", "NAME", "how kernels are made"),
        ("require", "CAPABILITY", "what this machine must have, such as oom-kill or gpu"),
        ("allow", "FAULT", "a fault that may harm other users of the GPU"),
    ):
        group.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{words}, as --tfkernel-{name}"
        )
    group.add_argument(
        "--workers", metavar="N", type=_count, default=0, help="play it on this many workers of pytest-xdist"
    )


def _declare_bisection(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--bisect",
        action="store_true",
        help="find the release between REF and CHANGED in which what stands after -- changes: an id of the suite, the"
        " name of a guarantee, or an id of one of your tests",
    )
    group.add_argument(
        "--on",
        metavar="WHAT",
        help="what must change: outcome (the default), error, exit, message, slower:50%% or memory:20%%",
    )
    group.add_argument("--nightlies", action="store_true", help="try builds of tf-nightly-cpu, too")
    group.add_argument("--package", metavar="NAME", help="try the releases of this package, and not of TensorFlow")
    group.add_argument(
        "--tensorflow",
        metavar="WHAT",
        help="with --package: the TensorFlow beside it, a version or what pip installs, or none (default: the newest)",
    )


def run(options: argparse.Namespace) -> Answer:
    """Compare, or bisect: exit code, and what goes to stdout and to stderr; stderr has the progress before."""
    from pytest_tfkernel.model.errors import TFKernelError
    from pytest_tfkernel.processes.stopping import stopped_by_signals
    from pytest_tfkernel.report.compare.differences import CompareError
    from pytest_tfkernel.report.store import DocumentError
    from pytest_tfkernel.upgrade.errors import UpgradeError

    try:
        with stopped_by_signals():
            if options.bisect:
                from pytest_tfkernel.upgrade.bisect import bisecting

                return bisecting.run(options)
            from pytest_tfkernel.upgrade import comparing

            return comparing.run(options)
    except (UpgradeError, CompareError, DocumentError, TFKernelError) as error:
        return untold(_NAME, error)
    except OSError as error:
        return untold(_NAME, _told(error))
    except KeyboardInterrupt:
        from pytest_tfkernel.upgrade.comparing import left_by

        return _INTERRUPTED, "", f"upgrade: interrupted{left_by(options)}\n"


def _told(error: OSError) -> str:
    try:
        here = Path.cwd()
    except OSError as gone:
        return f"the folder in which this runs can't be used: {gone.strerror}; change to another one"
    remedy = "; make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
    return f"{error.filename or here} can't be used: {error.strerror}{remedy}"


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number of workers")
    return number
