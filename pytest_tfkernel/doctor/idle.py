"""Whether the GPUs are idle, and the wait until they are. Makes no context: it reads NVML and /proc only."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel._child.nvml import NO_BINDINGS
from pytest_tfkernel.audit.calibration import Platform
from pytest_tfkernel.audit.gpu import Asks, Nvml
from pytest_tfkernel.audit.readings import LOST
from pytest_tfkernel.doctor.findings import Fulfilment, GpuLook, Occupancy, Occupant, RequirementResult, Role
from pytest_tfkernel.doctor.site import Site
from pytest_tfkernel.doctor.visible import visible
from pytest_tfkernel.doctor.who import occupancy
from pytest_tfkernel.model.gpus import Gpu, Reading

GPU_IDLE = "gpu-idle"
# A hook has 2 s for everything.
READ_SECONDS = 1.3
# Codes of nvmlReturn_t: no driver loaded, no library found.
NO_DRIVER = (9, 12)

_PAUSE = 0.1
# A context alone takes more; what an idle GPU has in use is a few MiB.
_CONTEXT_BYTES = 64 << 20
_SERVER = "nvidia-cuda-mps"


@dataclass(frozen=True)
class WaitResult:
    """How a wait ended, and the last look at the GPUs; None where NVML can't help."""

    result: RequirementResult
    look: GpuLook | None = None


@dataclass(frozen=True)
class _Judgement:
    """What a look means. `open`: another look may show something else. `settling`: it takes two to tell."""

    answer: Fulfilment
    reason: str = ""
    open: bool = False
    settling: bool = False


def watch(helper: Asks, site: Site, seconds: float = 0.0, read_seconds: float | None = None) -> WaitResult:
    """Look at the GPUs until they are idle, or for so many seconds. A reading may take `read_seconds`.

    The first reading may use the wait too: without a persistence daemon the driver starts the GPUs first.
    """
    began = site.clock()
    hopeless = hopeless_here(site.machine)
    if hopeless:
        return WaitResult(RequirementResult(GPU_IDLE, Fulfilment.UNKNOWN, hopeless))
    before: GpuLook | None = None
    read_seconds = READ_SECONDS if read_seconds is None else read_seconds
    limit = read_seconds + seconds
    while True:
        asked = site.clock() - began
        look = _look(Nvml(helper, limit).read(), site, is_first=before is None)
        judged = judge(look, before, site)
        passed = site.clock() - began
        if not judged.open or (passed >= seconds and not judged.settling):
            return WaitResult(RequirementResult(GPU_IDLE, judged.answer, judged.reason, passed), look)
        before = look
        limit = read_seconds
        # Where there are many processes a look takes long: it may have half of the time.
        site.sleep(max(_PAUSE, site.clock() - began - asked))


def hopeless_here(machine: Platform) -> str:
    """Why NVML's lists mean nothing on this machine; empty where they may."""
    if machine.is_wsl():
        return "WSL2 has no list of GPU processes"
    if machine.is_gvisor():
        return "gVisor hides process ids: run outside of it"
    return ""


def _look(reading: Reading, site: Site, *, is_first: bool) -> GpuLook:
    gpus = visible(reading.gpus, site.wanted)
    # The second look decides; until then, /proc is only asked of what NVML lists.
    is_needed = any(gpu.processes for gpu in reading.gpus) or (bool(reading.gpus) and not is_first)
    return GpuLook(reading, gpus, occupancy(reading, site) if is_needed else Occupancy())


def judge(look: GpuLook, before: GpuLook | None, site: Site) -> _Judgement:
    """What a look means, with the one before it."""
    blocked = _blocked(look, site)
    if blocked is not None:
        return blocked
    users = users_of(look, site)
    if users:
        pids = ", ".join(str(one.pid) for one in users)
        return _Judgement(Fulfilment.NOT_MET, f"held by {len(users)} process(es): {pids}", open=True)
    used = {gpu.uuid: gpu.used for gpu in look.visible}
    if before is None:
        return _Judgement(Fulfilment.UNKNOWN, open=True, settling=True)
    if used != {gpu.uuid: gpu.used for gpu in before.visible}:
        return _Judgement(Fulfilment.NOT_MET, "nobody holds it, but its memory in use is still changing", open=True)
    hidden = _hidden(look, site)
    if hidden:
        return _Judgement(Fulfilment.UNKNOWN, hidden, open=True)
    return _Judgement(Fulfilment.MET, _reservations(look))


def _hidden(look: GpuLook, site: Site) -> str:
    """What of the memory somebody may hold who isn't seen; empty where that is nothing."""
    sees_all = site.sees_all_processes()
    for gpu in look.visible:
        if gpu.used is not None and gpu.used > _CONTEXT_BYTES:
            held = f"{gpu.used >> 20} MiB of {gpu.uuid} are in use"
        elif gpu.used is None and not sees_all:
            held = f"the memory of {gpu.uuid} may be in use"
        else:
            continue
        if not sees_all:
            # NVML leaves the processes of other namespaces out in silence.
            return f"{held}, by nobody in this pid namespace: run in that of the host (docker run --pid=host)"
        unread = f"; {_unread(look)}" if look.occupancy.unreadable else ""
        return f"{held}, by nobody that can be seen, and the next job would lack them{unread}"
    return ""


def _blocked(look: GpuLook, site: Site) -> _Judgement | None:
    """What keeps a look from saying anything about users."""
    reading = look.reading
    lost = reading.lost or ((reading.error,) if reading.code in LOST else ())
    if lost:
        return _Judgement(Fulfilment.LOST, "; ".join(lost))
    if reading.error:
        return _Judgement(Fulfilment.UNKNOWN, why_unread(reading))
    if not look.visible:
        reason = "NVML finds no GPU"
        if reading.gpus:
            reason = f"CUDA_VISIBLE_DEVICES={site.wanted} names no GPU"
        elif reading.denied:
            reason = f"no GPU may be opened here ({'; '.join(reading.denied)})"
        return _Judgement(Fulfilment.UNKNOWN, reason)
    for gpu in look.visible:
        if gpu.processes is None:
            reason = f"the list of processes of {gpu.uuid} can't be read: {gpu.processes_error}"
            return _Judgement(Fulfilment.UNKNOWN, reason)
    if any(_is_mps(one) for one in _on(look)):
        return _Judgement(
            Fulfilment.UNKNOWN,
            "MPS is running, its server holds the GPU for others: echo quit | nvidia-cuda-mps-control",
        )
    return None


def _on(look: GpuLook) -> list[Occupant]:
    """Who is on the visible GPUs, or on none: whoever has a context on another one opens the devices of all."""
    uuids = {gpu.uuid for gpu in look.visible}
    wheres = [(one, {listing.gpu for listing in one.listings}) for one in look.occupancy.occupants]
    return [one for one, where in wheres if not where or where & uuids]


def why_unread(reading: Reading) -> str:
    """Why NVML said nothing, and what would help."""
    if reading.hung:
        return f"NVML gives {reading.error}: look for NVRM in the kernel log"
    if reading.code == NO_BINDINGS:
        return f"{reading.error}: pip install nvidia-ml-py"
    if reading.code in NO_DRIVER:
        return f"no NVIDIA driver ({reading.error}): install it, or start the container with --gpus all"
    return f"NVML fails: {reading.error}"


def users_of(look: GpuLook, site: Site) -> list[Occupant]:
    """The processes that keep the visible GPUs from being idle."""
    minors = site.minors()
    # A part of a GPU that is divided has no device of its own.
    cards = {minors.get(gpu.parent or gpu.uuid) for gpu in look.visible}
    return [one for one in _on(look) if one.role is Role.USER and (one.listings or _holds(one, cards, site))]


def _holds(one: Occupant, cards: set[int | None], site: Site) -> bool:
    numbers = {number for number in map(site.card, one.devices) if number is not None}
    # Where the driver doesn't say which is which, any may be meant.
    return bool(numbers) and (None in cards or bool(numbers & cards))


def _is_mps(one: Occupant) -> bool:
    program = one.command.partition(" ")[0].rpartition("/")[2]
    return program.startswith(_SERVER) or any(listing.kind == "mps" for listing in one.listings)


def _reservations(look: GpuLook) -> str:
    """What was not looked at, although the answer is yes."""
    notes = []
    if look.occupancy.unreadable:
        notes.append(_unread(look))
    unknown: list[Gpu] = [gpu for gpu in look.visible if gpu.used is None]
    if unknown:
        notes.append(f"the memory in use of {len(unknown)} GPU(s) can't be read")
    return "; ".join(notes)


def _unread(look: GpuLook) -> str:
    return f"the open files of {look.occupancy.unreadable} process(es) of others can't be read: run as root"
