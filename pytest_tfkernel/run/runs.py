"""From what is asked for to what is known: one run, with a launcher of its own."""

from __future__ import annotations

import os

from pytest_tfkernel.audit.ledger import baseline
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.processes.postmortems import records
from pytest_tfkernel.run import script
from pytest_tfkernel.run.faults import Aim, Striking
from pytest_tfkernel.run.script import RunEnd
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.watch import RunWatch
from pytest_tfkernel.run.wishes import RunWishes


def run_script(wishes: RunWishes) -> Story:
    """Run a script to its end. Raises SpecError and KernelStartError where it can't begin."""
    spec = spec_of(wishes)
    before = baseline()
    with Launcher() as launcher:
        kernel = launcher.start(spec)
        blow = Striking(wishes.aim, kernel) if wishes.aim is not None else None
        watch = RunWatch(kernel.life, launcher.supervisor, before)
        played = script.play(kernel.life, wishes, watch, blow)
        return story_of(wishes, launcher, kernel, watch, played)


def story_of(wishes: RunWishes, launcher: Launcher, kernel: Kernel, watch: RunWatch, played: RunEnd) -> Story:
    """What is known of a kernel that has died; what it left running is ended."""
    found = played.post_mortem
    memory = watch.memory(found.usage.max_rss if found.usage is not None else 0)
    audit, oom = watch.audit(), watch.oom()
    kernel.shutdown()
    story = Story(
        name=str(wishes.file),
        code=script.code_of(found),
        post_mortem=found,
        memory=memory,
        audit=audit,
        left=kernel.left_behind,
        interrupts=played.interrupts,
        oom=oom,
        threads=watch.threads,
        fault=_fault(wishes.aim, has_struck=played.struck),
        kernel=f"{wishes.provisioner}, {launcher.interpreter(wishes.python)}",
        cell=played.cell,
        asked=played.asked,
    )
    if story.has_died and wishes.aim is None:
        records.keep(found, name=story.name, cell_number=story.cell)
    return story


def _fault(aim: Aim | None, *, has_struck: bool) -> str:
    if aim is None:
        return ""
    return f"{aim.fault.name} {f'struck {aim.place}' if has_struck else f'did not strike: {aim.missed}'}"


def spec_of(wishes: RunWishes) -> KernelSpec:
    """That of the kernel."""
    return KernelSpec(
        python=wishes.python,
        provisioner=wishes.provisioner,
        memory_limit=wishes.memory,
        # What a script keeps in the folder for temporary files is to be there afterwards, as ever.
        environment={"TMPDIR": os.environ.get("TMPDIR")},
    )
