"""A script in a kernel of Jupyter's or Spyder's, as a person runs it there: by `%run`, or F5, which is `%runfile`."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

from pytest_tfkernel.audit.ledger import baseline
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.provisioners import Spyder
from pytest_tfkernel.run import runs
from pytest_tfkernel.run.cells import CellPlayer
from pytest_tfkernel.run.faults import Striking
from pytest_tfkernel.run.heard import HeardSignals
from pytest_tfkernel.run.script import RunEnd
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.watch import RunWatch
from pytest_tfkernel.run.wishes import RunWishes

_EXIT = "SystemExit"
# Blanks are for shlex.
_PLAIN = re.compile(r"[\w@%+=:,./ -]+")


def run(wishes: RunWishes) -> Story:
    """Run the script to its end. Raises SpecError and KernelStartError where it can't begin."""
    spec = runs.spec_of(wishes)
    cell = cell_of(wishes, is_spyder=isinstance(spec.made_by, Spyder))
    before = baseline()
    with Launcher() as launcher:
        kernel = launcher.start(spec)
        heard = HeardSignals()
        with heard.listening():
            blow = Striking(wishes.aim, kernel) if wishes.aim is not None else None
            player = CellPlayer(heard, launcher.temporary, wishes.timeout, blow)
            watch = RunWatch(kernel.life, launcher.supervisor, before)
            outcome, shown = player.play(kernel.life, cell, watch)
            shown.remove()
            if outcome.post_mortem is None:
                kernel.shutdown()
            dead = outcome.post_mortem or kernel.post_mortems[-1]
            played = RunEnd(dead, player.interrupts, player.struck, asked=outcome.post_mortem is None)
            story = runs.story_of(wishes, launcher, kernel, watch, played)
    return story if outcome.post_mortem is not None else replace(story, code=code_of(outcome.error))


def cell_of(wishes: RunWishes, *, is_spyder: bool) -> str:
    """The magic that runs the file, as a person writes it; called with its line, where that would be read otherwise."""
    path, folder = str(wishes.file.absolute()), str(Path.cwd())
    if is_spyder:
        # One word, since `--args=-x` is none of the magic's own options.
        arguments = [f"--args={shlex.join(wishes.arguments)}"] if wishes.arguments else []
        name, line = "runfile", shlex.join([path, *arguments, "--wdir", folder])
    else:
        name, line = "run", shlex.join([path, *wishes.arguments])
    if all(_PLAIN.fullmatch(word) for word in (path, folder, *wishes.arguments)):
        return f"%{name} {line}"
    # IPython would expand variables, and patterns of files without -G.
    return f"get_ipython().find_line_magic({name!r})({'' if is_spyder else '-G '!r} {line!a})"


def code_of(error: CellError | None) -> int:
    """The exit code of a script that has ended in a kernel which goes on; that of `sys.exit` where it says one."""
    if error is None:
        return 0
    if error.type.rpartition(".")[2] != _EXIT:
        return 1
    return int(error.message) if error.message.isdigit() else int(error.message not in ("", "None"))
