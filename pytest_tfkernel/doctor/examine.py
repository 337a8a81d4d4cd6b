"""The examination: asks what is needed for an answer, and no more."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.audit.gpu import READ_SECONDS as PATIENT_SECONDS
from pytest_tfkernel.doctor import advice, idle
from pytest_tfkernel.doctor.findings import Examination, Fulfilment, RequirementResult
from pytest_tfkernel.doctor.site import Site
from pytest_tfkernel.kernels.faults.limits import OOM_KILL, PROCESS_LIMIT
from pytest_tfkernel.kernels.faults.menu import GPU
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.capabilities import GPU_MEMORY, JUPYTER, MULTIPROCESS, NVML_PROCESSES, SPYDER, capabilities
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.gpus import Calibration, Sight
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability
from pytest_tfkernel.processes.companions import Helper

_OF_THE_MACHINE = ("tensorflow", OOM_KILL, PROCESS_LIMIT, JUPYTER, SPYDER, MULTIPROCESS)
# They need a look at a context of our own.
_CALIBRATED = (GPU, NVML_PROCESSES, GPU_MEMORY)
NAMES = (*_OF_THE_MACHINE, *_CALIBRATED, idle.GPU_IDLE)

# With these, nobody knows what there is.
_UNDECIDED = (Sight.HANGS, Sight.FAILED, Sight.NO_CONTEXT)
# Holds no device.
_NOWHERE = Path("/nonexistent")


@dataclass(frozen=True)
class Question:
    """What to find out: these requirements, or everything where there are none."""

    requirements: tuple[str, ...]
    python: str
    wait: float = 0.0

    def needs(self, names: Collection[str]) -> bool:
        """Whether any of these matters."""
        return not self.requirements or not set(names).isdisjoint(self.requirements)


def examine(question: Question, launcher: Launcher, site: Site) -> Examination:
    """Everything that was asked for. Raises SpecError when kernels can't run in the interpreter."""
    watched: idle.WaitResult | None = None
    if question.needs((*_CALIBRATED, idle.GPU_IDLE)):
        # First: what a context of our own leaves for a while is no other's.
        watched = _watch(question, launcher, site)
    interpreter: Interpreter | None = None
    found: tuple[Capability, ...] = ()
    calibration: Calibration | None = None
    if question.needs((*_OF_THE_MACHINE, *_CALIBRATED)):
        interpreter = launcher.interpreter(question.python)
        found, calibration = _capabilities(question, launcher, interpreter, site, watched)
    if watched is not None and question.needs((idle.GPU_IDLE,)):
        result = watched.result
        found += (Capability(result.requirement, "idle GPUs", result.answer is Fulfilment.MET, result.reason),)
    look = watched.look if watched is not None else None
    surroundings = None if question.requirements else site.surroundings()
    return Examination(
        interpreter=interpreter,
        capabilities=found,
        calibration=calibration,
        look=look,
        surroundings=surroundings,
        wanted=site.wanted,
        results=tuple(_result(name, found, calibration, watched) for name in question.requirements),
        changes=(*advice.changes(found, calibration, look), *advice.of_surroundings(surroundings)),
    )


def _capabilities(
    question: Question, launcher: Launcher, interpreter: Interpreter, site: Site, watched: idle.WaitResult | None
) -> tuple[tuple[Capability, ...], Calibration | None]:
    """Those of this kind that matter, and what a context has shown, if one was made."""
    is_calibrated = question.needs(_CALIBRATED)
    # Where no device is, no context is made for an answer that nobody wants.
    gpus = Gpus(launcher, site.machine, site.devices if is_calibrated else _NOWHERE)
    if watched is not None and watched.look is not None and watched.look.reading.hung:
        # It would take its time to hang once more.
        gpus.calibration = Calibration(Sight.HANGS, watched.look.reading.error)
    try:
        found = capabilities(interpreter, gpus)
        calibration = gpus.calibration if gpus.are_there else None
    finally:
        gpus.close()
    return tuple(one for one in found if one.name not in _CALIBRATED or is_calibrated), calibration


def worst(results: Sequence[RequirementResult]) -> Fulfilment:
    """The answer that counts among several."""
    return max((one.answer for one in results), key=lambda answer: answer.value, default=Fulfilment.MET)


def _watch(question: Question, launcher: Launcher, site: Site) -> idle.WaitResult:
    # The launcher ends it, with all else at once: on a big machine each search for processes takes its time.
    helper = Helper("nvml", launcher.supervisor, launcher.new_lease)
    if question.requirements:
        return idle.watch(helper, site, question.wait)
    return idle.watch(helper, site, read_seconds=PATIENT_SECONDS)


def _result(
    name: str, found: Sequence[Capability], calibration: Calibration | None, watched: idle.WaitResult | None
) -> RequirementResult:
    if watched is not None and name == idle.GPU_IDLE:
        return watched.result
    if watched is not None and name in _CALIBRATED and watched.result.answer is Fulfilment.LOST:
        return RequirementResult(name, Fulfilment.LOST, watched.result.reason)
    capability = next(one for one in found if one.name == name)
    if capability.available:
        return RequirementResult(name, Fulfilment.MET)
    is_undecided = name in _CALIBRATED and calibration is not None and calibration.sight in _UNDECIDED
    return RequirementResult(name, Fulfilment.UNKNOWN if is_undecided else Fulfilment.NOT_MET, capability.reason)
