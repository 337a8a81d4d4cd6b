"""The options of the plugin, for the command line and ini files: declared in every session, and so in few lines.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import argparse
import os
import sys

import pytest

# How the id of one of our items begins, so that it can be pasted back.
ID_PREFIX = "tfkernel::"

GATE_MODES = ("fail", "warn", "off")

ISOLATE_MODES = ("file", "test", "off")
# What it is in the process of a test, which isolates no further.
INSIDE = "inside"

# Those of `suite.settings`, which an idle plugin doesn't import.
SIZES = ("smoke", "standard", "full")

# Ini values: name, help, and default; of those that are lists, one a line.
_INI: tuple[tuple[str, str, str | list[str]], ...] = (
    ("tfkernel_size", "how much of the suite: smoke, standard or full", "standard"),
    ("tfkernel_python", "interpreters in which kernels run, one per line", []),
    ("tfkernel_kernelspec", "an installed Jupyter kernelspec whose kernels are to be used", ""),
    ("tfkernel_provisioner", "how kernels are made, one name per line", []),
    ("tfkernel_require", "capabilities that must be there, one per line", []),
    ("tfkernel_allow", "faults that may harm others, one per line", []),
    ("tfkernel_report", "run documents and pages to write, one per line", []),
    ("tfkernel_save", "keep the document of each run in .tfkernel: true, or a name for it", ""),
    ("tfkernel_fail_on", "what else makes a run worse, one per line", []),
    ("tfkernel_known", "the file of known defects of TensorFlow, beside those that are listed here", ""),
    ("tfkernel_expect", "the file of known differences", ""),
    ("tfkernel_gate", "what becomes of a test that leaves something behind: fail, warn or off", "off"),
    ("tfkernel_isolate", "which tests share a process: those of a file, none (test), or all (off)", "off"),
    ("tfkernel_gate_known", "helpers that live as long as pytest and are nobody's leak, one kind:pattern per line", []),
)


def are_given(config: pytest.Config) -> bool:
    """Whether any of ours says anything: if none does, there is nothing to read."""
    if any(argument.startswith(ID_PREFIX) for argument in config.args):
        return True
    ours = [value for name, value in vars(config.option).items() if name.startswith("tfkernel")]
    if any(value not in (None, False, []) for value in ours):
        return True
    return any(config.getini(name) != default for name, _, default in _INI)


def is_inside(config: pytest.Config) -> bool:
    """Whether this is the process of a test."""
    return bool(config.option.tfkernel_isolate == INSIDE)


def add(parser: pytest.Parser) -> None:
    """Declare them."""
    for name, words, default in _INI:
        if isinstance(default, list):
            parser.addini(name, words, type="linelist", default=default)
        else:
            parser.addini(name, words, default=default)
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
        choices=SIZES,
        default=None,
        help="how much of the suite: smoke (each example once, some seconds), standard (every fault, phase and"
        " scenario, a minute or two; the default) or full (all combinations, some minutes)",
    )
    group.addoption(
        "--tfkernel-python",
        metavar="PATH",
        action="append",
        default=[],
        help="the interpreter in which kernels run (default: the one that runs pytest); repeat it to run the suite in"
        " each of several, of which the fixtures use the first",
    )
    group.addoption(
        "--tfkernel-kernelspec",
        metavar="NAME",
        default=None,
        help="run the suite on the kernels of this installed Jupyter kernelspec",
    )
    group.addoption(
        "--tfkernel-provisioner",
        metavar="NAME",
        action="append",
        default=[],
        help="how kernels are made: subprocess, forkserver, jupyter, spyder, or multiprocess-spawn and the like;"
        " repeat it for several (default: all that are installed)",
    )
    group.addoption(
        "--tfkernel-require",
        metavar="CAPABILITY",
        action="append",
        default=[],
        help="a capability that this machine must have, such as oom-kill or gpu: without it the run is an"
        " error and not a run with UNKNOWNs; repeat it for several",
    )
    group.addoption(
        "--tfkernel-allow",
        metavar="FAULT",
        action="append",
        default=[],
        help="play a fault that may harm other users of the GPU: oom-gpu or cuda-fault; repeat it for several",
    )
    group.addoption(
        "--tfkernel-known",
        metavar="FILE",
        default=None,
        help="defects of TensorFlow that are known to you, with a reason each: what fails so is KNOWN, and not red",
    )
    group.addoption(
        "--tfkernel-report",
        metavar="FILE",
        action="append",
        default=[],
        help="write what this run sees, your own tests included, to FILE.json (a run document, which can be compared),"
        " FILE.html (a page) or FOLDER/ (a document named by date and versions); repeat it for several",
    )
    group.addoption(
        "--tfkernel-save",
        metavar="NAME",
        nargs="?",
        const="",
        default=None,
        help="keep the document of this run in .tfkernel of the root folder, with a number, and a name if one is given"
        " (write --tfkernel-save=NAME)",
    )
    group.addoption(
        "--tfkernel-compare",
        metavar="REF",
        default=None,
        help="compare this run with the run document REF, or with a saved run, by its number, its name or `last`:"
        " exit 1 if something fails that did not fail then",
    )
    group.addoption(
        "--tfkernel-fail-on",
        metavar="CHANGE",
        action="append",
        default=[],
        help="what else makes this run worse than REF: slower:50%%, memory:20%%, changed, leak, missing or unknown;"
        " repeat it for several",
    )
    group.addoption(
        "--tfkernel-expect", metavar="FILE", default=None, help="known differences from REF, with a reason each"
    )
    group.addoption(
        "--tfkernel-progress",
        metavar="FILE",
        default=None,
        help="write how far this run is to FILE as it goes on, for a program that waits for it: lines of JSON",
    )
    _add_gate(group)
    _add_isolation(group)


def _add_gate(group: pytest.OptionGroup) -> None:
    fail = (
        "fail each of your own tests that leaves behind a process, a handle of a GPU, shared memory, a socket, a lock"
        " or a temporary file, and list what it left"
    )
    _add_modes(group, "gate", GATE_MODES, (fail, "list it, but don't fail", "whatever tfkernel_gate says"))


def _add_isolation(group: pytest.OptionGroup) -> None:
    file = (
        "your own tests: each file runs in a process of its own, so that a crash is one failed test, and nothing of"
        " TensorFlow's state or GPU memory outlives it"
    )
    _add_modes(group, "isolate", ISOLATE_MODES, (file, "each test does", "whatever tfkernel_isolate says"))


def _add_modes(group: pytest.OptionGroup, name: str, modes: tuple[str, ...], helps: tuple[str, ...]) -> None:
    """An option whose value may be left out: then it is the first of these."""
    option, target = f"--tfkernel-{name}", f"tfkernel_{name}"
    group.addoption(option, action="store_const", const=modes[0], default=None, dest=target, help=helps[0])
    for mode, words in zip(modes, ("the same", *helps[1:]), strict=True):
        # Options of their own: one with an optional value would take a path beside it for that.
        group.addoption(f"{option}={mode}", action="store_const", const=mode, dest=target, help=words)
    # A mode that doesn't exist is refused where it is read, by the names of those that do; argparse would name none.
    typed = {*sys.argv[1:], *os.environ.get("PYTEST_ADDOPTS", "").split()}
    for one in sorted(typed - {f"{option}={mode}" for mode in modes}):
        if one.startswith(f"{option}="):
            mode = one.partition("=")[2]
            group.addoption(one, action="store_const", const=mode, dest=target, help=argparse.SUPPRESS)
