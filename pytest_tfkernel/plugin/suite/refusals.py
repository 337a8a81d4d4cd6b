"""What can't be run is refused before the first test, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from pytest_tfkernel.machine.capabilities import hosts
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.provisioners import NAMES, capability_of
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.plugin.asked import Options
from pytest_tfkernel.plugin.interpreters import missing_hosts
from pytest_tfkernel.plugin.options import ID_PREFIX
from pytest_tfkernel.plugin.suite import collection
from pytest_tfkernel.suite.settings import HARMFUL, settings


def check_names(options: Options) -> None:
    """Names that are unknown, and a choice that leaves nothing. Raises UsageError, as all functions here."""
    provisioners = sorted({setting.provisioner for setting in settings()})
    for name in options.provisioners:
        if name not in provisioners:
            raise pytest.UsageError(f"--tfkernel-provisioner={name}: unknown; choose from {', '.join(provisioners)}")
    for name in options.allow:
        if name not in HARMFUL:
            raise pytest.UsageError(f"--tfkernel-allow={name}: unknown; choose from {', '.join(HARMFUL)}")
    if not options.selected and not settings(options.size, options.provisioners):
        made = ", ".join(options.provisioners)
        raise pytest.UsageError(f"tfkernel: size {options.size} has no trials for {made}: choose a larger one")


def check_selected(options: Options, labels: Collection[str]) -> None:
    """Ids that name no item of this run; `labels` are those of its interpreters."""
    missing = dict.fromkeys(labels, ())
    possible = list(collection.pairs(allow=HARMFUL, missing=missing))
    ids = {f"{ID_PREFIX}{guarantee.id}[{setting.named(labelled=len(labels) > 1)}]" for setting, guarantee in possible}
    wholes = {guarantee.id for _, guarantee in collection.pairs(options.size, options.provisioners, HARMFUL, missing)}
    for selected in options.selected:
        bare = selected.removeprefix(ID_PREFIX)
        if bare in wholes:
            continue
        if any(guarantee.id == bare for _, guarantee in possible):
            made = f" of {', '.join(options.provisioners)}" if options.provisioners else ""
            raise pytest.UsageError(
                f"{selected}: size {options.size}{made} has no trials of it: add --tfkernel-size=full"
            )
        if selected not in ids:
            listing = "pytest --tfkernel --tfkernel-size=full --collect-only -q"
            several = "; it is of a run with several --tfkernel-python: give them too" if "/" in selected else ""
            raise pytest.UsageError(f"{selected}: no such item; `{listing}` lists them all{several}")
        fault = next((name for name in HARMFUL if f"-{name}-" in selected), None)
        if fault is not None and fault not in options.allow:
            raise pytest.UsageError(
                f"{selected}: {fault} may harm other users of the GPU: add --tfkernel-allow={fault}"
            )


def check_hosts(config: pytest.Config, options: Options, interpreters: Mapping[str, Interpreter]) -> None:
    """What was asked for by name must be installed; what wasn't is left out, and the header says so."""
    settings_asked = [one.partition("[")[2].rpartition("/")[2] for one in options.selected]
    chosen = [name for name in NAMES for one in settings_asked if one.startswith(f"{name}-")]
    asked = {capability_of(name) for name in (*options.provisioners, *chosen)}
    for interpreter in interpreters.values():
        for name in missing_hosts(config, interpreter):
            if name in asked:
                raise pytest.UsageError(f"tfkernel: {name} is {hosts(interpreter)[name].reason}")


def check_capabilities(options: Options, capabilities: Collection[Capability]) -> None:
    """What is required and missing; TensorFlow always is required."""
    known = {one.name: one for one in capabilities}
    for name in ("tensorflow", *options.require):
        if name not in known:
            raise pytest.UsageError(f"--tfkernel-require={name}: unknown; choose from {', '.join(known)}")
        if not known[name].available:
            raise pytest.UsageError(f"tfkernel: this machine lacks {known[name].summary}: {known[name].reason}")
