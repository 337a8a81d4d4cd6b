"""The commands: what needs no pytest. `__main__` is how one gets here."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from pytest_tfkernel.catalogue import explaining as explain, listing
from pytest_tfkernel.deaths import command as deaths
from pytest_tfkernel.doctor import command as doctor
from pytest_tfkernel.gpu_report import command as gpu_report
from pytest_tfkernel.model.commands import UNTOLD, Answer, untold
from pytest_tfkernel.report.compare import command as compare
from pytest_tfkernel.report.history import command as history
from pytest_tfkernel.report.page import command as page
from pytest_tfkernel.run import command as running
from pytest_tfkernel.upgrade import command as upgrade


@dataclass(frozen=True)
class _Command:
    """`help` is a line in the list of commands, `description` what its own help says; `declare` adds the options.

    With `takes_rest`, `options.rest` has the words after `--`, which are somebody else's.
    """

    help: str
    description: str
    declare: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Answer]
    takes_rest: bool = False


_COMMANDS = {
    "compare": _Command(compare.HELP, compare.DESCRIPTION, compare.declare, compare.run),
    "deaths": _Command(deaths.HELP, deaths.DESCRIPTION, deaths.declare, deaths.run),
    "doctor": _Command(doctor.HELP, doctor.DESCRIPTION, doctor.declare, doctor.run),
    "explain": _Command(explain.HELP, explain.DESCRIPTION, explain.declare, explain.run),
    "gpu-report": _Command(gpu_report.HELP, gpu_report.DESCRIPTION, gpu_report.declare, gpu_report.run),
    "history": _Command(history.HELP, history.DESCRIPTION, history.declare, history.run),
    "list": _Command(listing.HELP, listing.DESCRIPTION, listing.declare, listing.run),
    "page": _Command(page.HELP, page.DESCRIPTION, page.declare, page.run),
    "run": _Command(running.HELP, running.DESCRIPTION, running.declare, running.run),
    "upgrade": _Command(upgrade.HELP, upgrade.DESCRIPTION, upgrade.declare, upgrade.run, takes_rest=True),
}


class _Version(argparse.Action):
    """Looks for it only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("pytest-tfkernel")
        except PackageNotFoundError:
            found = "that isn't installed"
        parser.exit(message=f"pytest-tfkernel {found}, Python {'.'.join(map(str, sys.version_info[:3]))}\n")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(prog="pytest-tfkernel")
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and of which Python")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for name, command in _COMMANDS.items():
        own = subparsers.add_parser(
            name,
            help=command.help,
            description=command.description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.declare(own)
    words, rest = _divided(sys.argv[1:] if arguments is None else arguments)
    options, unknown = parser.parse_known_args(words)
    if unknown:
        hint = "; what is for pytest stands behind --" if _COMMANDS[options.command].takes_rest else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    options.rest = rest
    try:
        code, out, err = _COMMANDS[options.command].run(options)
    except Exception as error:  # noqa: BLE001 - a traceback ends with 1, which is "not met" and "worse"
        code, out, err = untold(options.command, f"can't tell: {type(error).__name__}: {error}")
    try:
        _write(sys.stdout, out)
        _write(sys.stderr, err)
    except OSError as error:
        with contextlib.suppress(OSError):
            _write(sys.stderr, f"the answer can't be written: {error.strerror}\n")
        return UNTOLD
    return code


def _divided(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The words of a command, and those that it hands on; argparse would take options out of them."""
    command = _COMMANDS.get(words[0]) if words else None
    if command is None or not command.takes_rest or "--" not in words:
        return words, ()
    place = [*words].index("--")
    return words[:place], words[place + 1 :]


def _write(stream: TextIO | None, text: str) -> None:
    """Write what anybody still reads, in any encoding: the exit code says the rest."""
    if stream is None:
        return
    try:
        encoding = stream.encoding or "utf-8"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        # So that the interpreter doesn't stumble over it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
