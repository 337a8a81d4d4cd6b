"""All that has a name, as entries of one form."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tfkernel.catalogue import lines
from pytest_tfkernel.kernels.faults.fault import Fault
from pytest_tfkernel.kernels.faults.limits import OOM_KILL, PROCESS_LIMIT
from pytest_tfkernel.kernels.faults.menu import FAULTS, GPU
from pytest_tfkernel.kernels.phases import COLD, IDLE, PHASES, Phase
from pytest_tfkernel.machine.capabilities import GPU_MEMORY, JUPYTER, MULTIPROCESS, NVML_PROCESSES, SPYDER
from pytest_tfkernel.model.provisioners import PROVISIONERS, Provisioner
from pytest_tfkernel.suite.guarantees import GUARANTEES, Guarantee
from pytest_tfkernel.suite.scenarios import SCENARIOS
from pytest_tfkernel.trials.examples import EXAMPLES

GUARANTEE, FAULT, PHASE, PROVISIONER = "guarantee", "fault", "phase", "provisioner"
EXAMPLE, SCENARIO, CAPABILITY = "example", "scenario", "capability"
KINDS = (GUARANTEE, FAULT, PHASE, PROVISIONER, EXAMPLE, SCENARIO, CAPABILITY)
_CAPABILITIES = (
    *("tensorflow", OOM_KILL, PROCESS_LIMIT, JUPYTER, SPYDER, MULTIPROCESS),
    *(GPU, NVML_PROCESSES, GPU_MEMORY),
)
_NEAREST, _LIKENESS = 3, 0.75


@dataclass(frozen=True)
class CatalogueEntry:
    """One thing: what it is in a line, and what else there is to say, each with its title."""

    kind: str
    name: str
    summary: str
    details: tuple[tuple[str, str], ...] = ()


def entries() -> Iterator[CatalogueEntry]:
    """All of them, in the order of their kinds and of reports."""
    yield from map(_of_guarantee, GUARANTEES)
    yield from map(_of_fault, FAULTS)
    yield from map(_of_phase, PHASES)
    yield from map(_of_provisioner, PROVISIONERS)
    for example in EXAMPLES:
        details = _run(_plays(example.name))
        yield CatalogueEntry(EXAMPLE, example.name, example.title, details)
    for scenario in SCENARIOS:
        details = _run(_plays(scenario.name))
        yield CatalogueEntry(SCENARIO, scenario.name, scenario.title, details)
    for name in _CAPABILITIES:
        details = (
            ("whether it is here", "pytest-tfkernel doctor"),
            ("where it must be", f"pytest --tfkernel --tfkernel-require={name}"),
        )
        yield CatalogueEntry(
            CAPABILITY, name, "what a machine has or lacks: without it, some verdicts are UNKNOWN", details
        )


def find(word: str) -> list[CatalogueEntry]:
    """Those of this name, which may also be the id of an item; a guarantee and a scenario may share one."""
    name = word.removeprefix(lines.PREFIX).partition("[")[0]
    return [one for one in entries() if one.name == name]


def nearest(word: str) -> list[str]:
    """The names that may have been meant, the likeliest first."""
    name = word.removeprefix(lines.PREFIX).partition("[")[0].lower().replace("_", "-").replace(" ", "-")
    # Of two that differ in a dash, the first one: a guarantee before an example.
    names: dict[str, str] = {}
    for one in entries():
        names.setdefault(one.name.lower().replace("_", "-"), one.name)
    if not name:
        return []
    holding = [each for each in names if name in each]
    close = difflib.get_close_matches(name, names, _NEAREST, _LIKENESS)
    return [names[each] for each in dict.fromkeys([*holding, *close])][:_NEAREST]


def _of_guarantee(one: Guarantee) -> CatalogueEntry:
    details = (
        ("asked in", one.where),
        ("seen to fail", f"on a kernel that misbehaves: tests/saboteurs/{one.control}.py"),
        *lines.of_guarantee(one),
    )
    return CatalogueEntry(GUARANTEE, one.id, one.statement, details)


def _of_fault(one: Fault) -> CatalogueEntry:
    details = [("the kernel", str(one.expects))]
    if one.requires:
        details.append(("needs", ", ".join(one.requires)))
    if one.harms:
        details.append(("beware", "it may harm other users of the GPU, and is played only where it is allowed by name"))
    if one.signal is not None:
        details.append(("strikes in", "any phase"))
    details += _run(lambda setting: setting.fault == one.name, allow=one.name if one.harms else "")
    details.append(("in your own test", f'tfkernel.inject("{one.name}")'))
    return CatalogueEntry(FAULT, one.name, one.summary, tuple(details))


def _of_phase(one: Phase) -> CatalogueEntry:
    details = []
    if one.needs == COLD:
        details.append(("needs", "a kernel that has not imported TensorFlow: one of provisioner subprocess"))
    elif one.needs:
        details.append(("needs", f"what the example {one.needs} leaves in the kernel"))
    details += _run(lambda setting: setting.phase == one.name)
    struck = "" if one.name == IDLE else f', phase="{one.name}"'
    details.append(("in your own test", f'tfkernel.inject("sigkill"{struck})'))
    return CatalogueEntry(PHASE, one.name, one.summary, tuple(details))


def _of_provisioner(one: Provisioner) -> CatalogueEntry:
    summary = " ".join((type(one).__doc__ or "").partition("\n\n")[0].split())
    details = [] if one.need is None else [("needs", f"{one.need.package} in the environment of the kernels")]
    details.append(("run it", f"pytest --tfkernel --tfkernel-provisioner={one.name}"))
    details.append(("in your own test", f'@pytest.mark.tfkernel(provisioner="{one.name}")'))
    return CatalogueEntry(PROVISIONER, one.name, summary, tuple(details))


def _run(fits: lines.Choice, allow: str = "") -> tuple[tuple[str, str], ...]:
    return tuple(lines.of_trials(fits, allow))


def _plays(example: str) -> lines.Choice:
    """Trials of an example, or of the scenario that stands in its place."""
    return lambda setting: setting.example == example
