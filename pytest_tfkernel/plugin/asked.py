"""What was asked for: our options as read from the command line and from ini files."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel.plugin import saving
from pytest_tfkernel.plugin.options import GATE_MODES, ID_PREFIX, INSIDE, ISOLATE_MODES, SIZES

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Options:
    """What was asked for. `suite`: run ours. `selected`: only these ids of it, of whichever size.

    `save` is the name by which this run is to be saved below the folder `root`: empty for none, None for not at all.

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
    save: str | None
    root: Path
    compare: str | None
    fail_on: tuple[str, ...]
    expect: str | None
    known: str | None
    gate: str
    gate_known: tuple[str, ...]
    isolate: str
    progress: str | None = None


_OPTIONS = pytest.StashKey[Options]()


def options_of(config: pytest.Config) -> Options:
    """What was asked for; pasted ids are taken out of `config.args`, where pytest expects paths.

    Read once. Raises pytest.UsageError.
    """
    found = config.stash.get(_OPTIONS, None)
    if found is None:
        found = config.stash[_OPTIONS] = _read(config)
    return found


def _read(config: pytest.Config) -> Options:
    selected = tuple(argument for argument in config.args if argument.startswith(ID_PREFIX))
    if selected:
        config.args[:] = [argument for argument in config.args if argument not in selected]
    kernelspec = _kernelspec(config)
    compare = _named(config, "compare")
    suite = config.getoption("--tfkernel") or bool(selected)
    return Options(
        suite=suite,
        selected=selected,
        size=_size(config),
        pythons=_pythons(config, kernelspec),
        kernelspec=kernelspec,
        provisioners=_provisioners(config, kernelspec),
        require=_listed(config, "require"),
        allow=_listed(config, "allow"),
        reports=_paths(config, "report"),
        save=saving.asked_for(config),
        root=config.rootpath,
        compare=compare,
        fail_on=_listed(config, "fail-on") if compare is not None or config.getoption("--tfkernel-fail-on") else (),
        expect=_expect(config, compare),
        known=_known(config, suite=suite),
        gate=_mode(config, "gate", GATE_MODES),
        gate_known=tuple(config.getini("tfkernel_gate_known")),
        isolate=_mode(config, "isolate", (*ISOLATE_MODES, INSIDE)),
        progress=_named(config, "progress"),
    )


def _kernelspec(config: pytest.Config) -> str | None:
    return _named(config, "kernelspec") or config.getini("tfkernel_kernelspec") or None


def _named(config: pytest.Config, name: str) -> str | None:
    """An option of one word. A variable that was not set, say, is no wish for what the option stands for."""
    given: str | None = config.getoption(f"--tfkernel-{name}")
    if given == "":
        raise pytest.UsageError(f"--tfkernel-{name}= is empty: give a name, or leave it out")
    return given


def _expect(config: pytest.Config, compare: str | None) -> str | None:
    given, known = _named(config, "expect"), config.getini("tfkernel_expect")
    # Those of an ini file are for runs that are compared, and the others are ordinary ones.
    return given if given or not known or compare is None else _beside_ini(config, known)


def _known(config: pytest.Config, *, suite: bool) -> str | None:
    given, known = _named(config, "known"), config.getini("tfkernel_known")
    # The process of an isolated test has the words of its session, and no suite.
    if given and not suite and config.getoption("tfkernel_isolate") != INSIDE:
        raise pytest.UsageError("--tfkernel-known is about the suite: add --tfkernel")
    if not suite:
        return None
    return str(Path(given).absolute()) if given else _beside_ini(config, known) if known else None


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
        raise pytest.UsageError("--tfkernel-python= is empty: give a path, or leave it out")
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
    if size not in SIZES:
        raise pytest.UsageError(f"tfkernel_size = {size}: unknown; choose from {', '.join(SIZES)}")
    return size


def _mode(config: pytest.Config, name: str, modes: tuple[str, ...]) -> str:
    given = config.getoption(f"tfkernel_{name}")
    mode: str = config.getini(f"tfkernel_{name}") if given is None else given
    if mode not in modes:
        known = ", ".join(one for one in modes if one != INSIDE)
        raise pytest.UsageError(f"tfkernel_{name} = {mode}: unknown; choose from {known}")
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
    # A separator at its end makes a folder of it, and a Path has none.
    end = os.sep if name.endswith(os.sep) else ""
    return f"{path if config.inipath is None else config.inipath.parent / path}{end}"
