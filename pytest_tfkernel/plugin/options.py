"""The options of the plugin, from the command line and from ini files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

# How the id of one of our items begins, so that it can be pasted back.
ID_PREFIX = "tfkernel::"

_MODES = ("fail", "warn", "off")

# Those of `suite.settings`, which an idle plugin doesn't import.
_SIZES = ("smoke", "standard", "full")


@dataclass(frozen=True)
class Options:
    """What was asked for. `suite`: run ours. `selected`: only these ids of it, of whichever size.

    `pythons` are at least one: interpreters in each of which the suite runs, the first of them for fixtures.
    """

    suite: bool
    selected: tuple[str, ...]
    size: str
    pythons: tuple[str, ...]
    kernelspec: str | None
    provisioners: tuple[str, ...]
    require: tuple[str, ...]
    allow: tuple[str, ...]
    reports: tuple[str, ...]
    compare: str | None
    fail_on: tuple[str, ...]
    expect: str | None
    gate: str
    gate_known: tuple[str, ...]


OPTIONS = pytest.StashKey[Options]()


def add(parser: pytest.Parser) -> None:
    """Declare them."""
    group = parser.getgroup("tfkernel", "process lifetime of TensorFlow kernels")
    group.addoption(
        "--tfkernel",
        action="store_true",
        default=False,
        help="run the conformance suite: kill and restart real TensorFlow kernels on this machine and check"
        " every guarantee; name paths beside it to run your own tests too",
    )
    group.addoption(
        "--tfkernel-size",
        metavar="SIZE",
        choices=_SIZES,
        default=None,
        help="how much of the suite: smoke (each example once, some seconds), standard (every fault, phase and"
        " scenario, a minute or two; the default) or full (all combinations, some minutes)",
    )
    parser.addini("tfkernel_size", "how much of the suite: smoke, standard or full", default="standard")
    group.addoption(
        "--tfkernel-python",
        metavar="PATH",
        action="append",
        default=[],
        help="the interpreter in which kernels run (default: the one that runs pytest); repeat it to run the suite in"
        " each of several, of which the fixtures use the first",
    )
    parser.addini("tfkernel_python", "interpreters in which kernels run, one a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-kernelspec",
        metavar="NAME",
        default=None,
        help="run the suite on the kernels of this installed Jupyter kernelspec",
    )
    parser.addini("tfkernel_kernelspec", "an installed Jupyter kernelspec whose kernels are to be used", default="")
    group.addoption(
        "--tfkernel-provisioner",
        metavar="NAME",
        action="append",
        default=[],
        help="how kernels are made: subprocess, forkserver, jupyter, spyder, or multiprocess-spawn and the like;"
        " repeat it for several (default: all that are installed)",
    )
    parser.addini("tfkernel_provisioner", "how kernels are made, one name a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-require",
        metavar="CAPABILITY",
        action="append",
        default=[],
        help="a capability that this machine must have, such as oom-kill or gpu: without it the run is an"
        " error and not a run with UNKNOWNs; repeat it for several",
    )
    parser.addini("tfkernel_require", "capabilities that must be there, one a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-allow",
        metavar="FAULT",
        action="append",
        default=[],
        help="play a fault that may harm other users of the GPU: oom-gpu or cuda-fault; repeat it for several",
    )
    parser.addini("tfkernel_allow", "faults that may harm others, one a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-report",
        metavar="FILE",
        action="append",
        default=[],
        help="write what this run sees, your own tests included, to FILE.json (a run document, which can be compared)"
        " or FILE.html (a page); repeat it for several",
    )
    parser.addini("tfkernel_report", "run documents and pages to write, one a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-compare",
        metavar="REF",
        default=None,
        help="compare this run with the run document REF: exit 1 where something fails that did not fail then",
    )
    group.addoption(
        "--tfkernel-fail-on",
        metavar="CHANGE",
        action="append",
        default=[],
        help="what else makes this run worse than REF: slower:50%%, memory:20%%, changed, leak, missing or unknown;"
        " repeat it for several",
    )
    parser.addini("tfkernel_fail_on", "what else makes a run worse, one a line", type="linelist", default=[])
    group.addoption(
        "--tfkernel-expect", metavar="FILE", default=None, help="known differences from REF, with a reason each"
    )
    parser.addini("tfkernel_expect", "the file of known differences", default="")
    _add_gate(parser, group)


def _add_gate(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    group.addoption(
        "--tfkernel-gate",
        action="store_const",
        const="fail",
        default=None,
        dest="tfkernel_gate",
        help="your own tests: one that leaves a process, shared memory, socket, lock, temporary file or a process"
        " with a handle of a GPU behind fails, with the list",
    )
    helps = {"fail": "the same", "warn": "it doesn't fail, and is listed", "off": "whatever tfkernel_gate says"}
    for mode in _MODES:
        # Options of their own: one with an optional value would take a path beside it for that.
        name = f"--tfkernel-gate={mode}"
        group.addoption(name, action="store_const", const=mode, dest="tfkernel_gate", help=helps[mode])
    parser.addini(
        "tfkernel_gate", "what becomes of a test that leaves something behind: fail, warn or off", default="off"
    )
    parser.addini(
        "tfkernel_gate_known",
        "helpers that live as long as pytest and are nobody's leak, kind:pattern a line",
        type="linelist",
        default=[],
    )


def read(config: pytest.Config) -> Options:
    """What was asked for; pasted ids are taken out of `config.args`, where pytest expects paths."""
    selected = tuple(argument for argument in config.args if argument.startswith(ID_PREFIX))
    if selected:
        config.args[:] = [argument for argument in config.args if argument not in selected]
    kernelspec = _kernelspec(config)
    compare = _named(config, "compare")
    return Options(
        suite=config.getoption("--tfkernel") or bool(selected),
        selected=selected,
        size=_size(config),
        pythons=_pythons(config, kernelspec),
        kernelspec=kernelspec,
        provisioners=_provisioners(config, kernelspec),
        require=_listed(config, "require"),
        allow=_listed(config, "allow"),
        reports=_paths(config, "report"),
        compare=compare,
        fail_on=_listed(config, "fail-on") if compare is not None or config.getoption("--tfkernel-fail-on") else (),
        expect=_expect(config, compare),
        gate=_gate(config),
        gate_known=tuple(config.getini("tfkernel_gate_known")),
    )


def _kernelspec(config: pytest.Config) -> str | None:
    return _named(config, "kernelspec") or config.getini("tfkernel_kernelspec") or None


def _named(config: pytest.Config, name: str) -> str | None:
    """An option of one word. A variable that was not set, say, is no wish for what the option stands for."""
    given: str | None = config.getoption(f"--tfkernel-{name}")
    if given == "":
        raise pytest.UsageError(f"--tfkernel-{name}= names none: give a name, or leave it out")
    return given


def _expect(config: pytest.Config, compare: str | None) -> str | None:
    given, known = _named(config, "expect"), config.getini("tfkernel_expect")
    # Those of an ini file are for runs that are compared, and the others are ordinary ones.
    return given if given or not known or compare is None else _beside_ini(config, known)


def _provisioners(config: pytest.Config, kernelspec: str | None) -> tuple[str, ...]:
    found = _listed(config, "provisioner")
    if kernelspec is None:
        return found
    if set(found) - {"jupyter"}:
        raise pytest.UsageError(
            f"--tfkernel-kernelspec={kernelspec} is for provisioner jupyter, not {', '.join(found)}"
        )
    return ("jupyter",)


def _pythons(config: pytest.Config, kernelspec: str | None) -> tuple[str, ...]:
    given = _paths(config, "python")
    if "" in given:
        # A variable that was not set, say: another interpreter than the one that was meant would be checked.
        raise pytest.UsageError("--tfkernel-python= names no interpreter: give a path, or leave it out")
    if kernelspec is None:
        return given or (sys.executable,)
    if len(given) > 1:
        raise pytest.UsageError("--tfkernel-kernelspec runs one interpreter: leave --tfkernel-python out")
    if given:
        return given
    from pytest_tfkernel.kernels.specs.kernelspecs import interpreter_of
    from pytest_tfkernel.model.errors import SpecError

    try:
        return (interpreter_of(kernelspec),)
    except SpecError as error:
        raise pytest.UsageError(f"--tfkernel-kernelspec: {error}") from None


def _size(config: pytest.Config) -> str:
    size: str = config.getoption("--tfkernel-size") or config.getini("tfkernel_size")
    if size not in _SIZES:
        raise pytest.UsageError(f"tfkernel_size = {size}: unknown; choose from {', '.join(_SIZES)}")
    return size


def _gate(config: pytest.Config) -> str:
    mode: str = config.getoption("tfkernel_gate") or config.getini("tfkernel_gate")
    if mode not in _MODES:
        raise pytest.UsageError(f"tfkernel_gate = {mode}: unknown; choose from {', '.join(_MODES)}")
    return mode


def _listed(config: pytest.Config, name: str) -> tuple[str, ...]:
    given: Sequence[str] = config.getoption(f"--tfkernel-{name}") or config.getini(f"tfkernel_{name.replace('-', '_')}")
    return tuple(dict.fromkeys(given))


def _paths(config: pytest.Config, name: str) -> tuple[str, ...]:
    """As `_listed`. Those of an ini file are beside it, from whichever folder pytest is started."""
    found = _listed(config, name)
    if config.getoption(f"--tfkernel-{name}"):
        return found
    return tuple(_beside_ini(config, one) if name != "python" or os.sep in one else one for one in found)


def _beside_ini(config: pytest.Config, name: str) -> str:
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        # There is no such user: it may be the name of a folder.
        path = Path(name)
    return str(path) if config.inipath is None else str(config.inipath.parent / path)
