"""A notebook in Jupyter's kernel, cell by cell, until one dies or fails; then, if asked, on in the next kernel."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_tfkernel.audit.ledger import baseline
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.specs import kernelspecs
from pytest_tfkernel.model.cells import CellError
from pytest_tfkernel.model.errors import SpecError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import PostMortem
from pytest_tfkernel.model.provisioners import Jupyter, Managed
from pytest_tfkernel.report import files
from pytest_tfkernel.run import lost, runs
from pytest_tfkernel.run.cells import CellOutcome, CellPlayer
from pytest_tfkernel.run.faults import Striking
from pytest_tfkernel.run.heard import HeardSignals
from pytest_tfkernel.run.notebooks import NotebookFile
from pytest_tfkernel.run.refusals import WishError
from pytest_tfkernel.run.script import RunEnd
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.watch import RunWatch
from pytest_tfkernel.run.wishes import RunWishes


def run(wishes: RunWishes, say: Callable[[str], None]) -> tuple[Story, str]:
    """Run the notebook and write its copy: what is known of the kernel that died or ended, and what else is to be said.

    Raises WishError, SpecError and KernelStartError where it can't begin.
    """
    notebook = NotebookFile(wishes.file)
    if wishes.restart is not None and not 1 <= wishes.restart <= len(notebook.cells):
        raise WishError(f"--restart={wishes.restart}: there are cells 1 to {len(notebook.cells)}, by those with code")
    spec = _spec(wishes, notebook)
    _check_place(wishes)
    before = baseline()
    with Launcher() as launcher:
        kernel = launcher.start(spec)
        notebook.clear()
        heard = HeardSignals()
        with heard.listening():
            blow = Striking(wishes.aim, kernel) if wishes.aim is not None else None
            argv = [str(wishes.file.absolute()), *wishes.arguments]
            player = CellPlayer(heard, launcher.temporary, wishes.timeout, blow, argv)
            course = _Course(notebook, kernel, player)
            watch = RunWatch(kernel.life, launcher.supervisor, before)
            try:
                course.play(watch, 1)
            except BaseException:
                # What was shown so far is not lost.
                _write(notebook, wishes.copy)
                raise
            if course.dead is None:
                kernel.shutdown()
            dead = course.dead or kernel.post_mortems[-1]
            played = RunEnd(dead, player.interrupts, player.struck, course.cell, asked=course.dead is None)
            story = runs.story_of(wishes, launcher, kernel, watch, played)
            if course.dead is not None and wishes.restart is not None and not player.is_stopped:
                say(f"pytest-tfkernel: cell {course.cell} has died; a new kernel goes on at cell {wishes.restart}\n")
                kernel.restart()
                course.go_on(RunWatch(kernel.life, launcher.supervisor, baseline()), wishes.restart)
                kernel.shutdown()
    notes = [*course.notes, _write(notebook, wishes.copy)]
    return replace(story, code=_code(story, has_failed=course.has_failed)), "".join(f"{line}\n" for line in notes)


def _code(story: Story, *, has_failed: bool) -> int:
    """The exit code: nothing but 0 says that all cells have run, and none has failed."""
    if story.asked and not story.has_died:
        return int(has_failed)
    return story.code or 1


class _Course:
    """How far it came: the last `cell`, the post-mortem of a `dead` kernel, whether a cell `has_failed`, and notes."""

    def __init__(self, notebook: NotebookFile, kernel: Kernel, player: CellPlayer) -> None:
        self._notebook = notebook
        self._kernel = kernel
        self._player = player
        self._is_second = False
        self.cell = 0
        self.dead: PostMortem | None = None
        self.has_failed = False
        self.notes: list[str] = []

    def play(self, watch: RunWatch, at: int) -> None:
        """Run the cells from one on, until one dies, fails, or there are no more."""
        count = 0
        for number in range(at, len(self._notebook.cells) + 1):
            cell = self._notebook.source(number)
            if not cell:
                continue
            self.cell, count = number, count + 1
            outcome, shown = self._player.play(self._kernel.life, cell, watch)
            self._notebook.note(number, count, shown.messages)
            shown.remove()
            self.dead = outcome.post_mortem
            if self.dead is not None or not self._goes_on(outcome):
                return

    def go_on(self, watch: RunWatch, at: int) -> None:
        """The same in a new kernel: what is missing there is noted, and no end."""
        self._is_second = True
        before = len(self.notes)
        self.play(watch, at)
        if self.dead is not None:
            self.notes.append(f"cell {self.cell} has died after the restart: {self.dead.headline()}")
        elif len(self.notes) == before:
            self.notes.append(f"from cell {at} on, nothing was missing that an earlier cell makes")

    def _goes_on(self, outcome: CellOutcome) -> bool:
        error = outcome.error
        if not outcome.is_stopped and (error is None or self._notebook.may_raise(self.cell)):
            return True
        if not outcome.is_stopped and error is not None and self._is_second and self._is_lost(error):
            return True
        self.has_failed = True
        what = f"ended with {error.type}" if error is not None else "was the last that was wanted"
        self.notes.append(f"cell {self.cell} {what}, so the cells after it were not run")
        return False

    def _is_lost(self, error: CellError) -> bool:
        """Whether it is a name that went with the dead kernel."""
        name = lost.missing_name(error.type, error.message)
        if name is None:
            return False
        cells = [self._notebook.source(number) for number in range(1, len(self._notebook.cells) + 1)]
        maker = lost.maker_of(name, cells, self.cell)
        where = f", which cell {maker} makes: run that one again" if maker is not None else ""
        self.notes.append(f"cell {self.cell} needs {name!r}{where}")
        return True


def _spec(wishes: RunWishes, notebook: NotebookFile) -> KernelSpec:
    """Of this interpreter, or of the kernelspec that the notebook names. Raises WishError and SpecError."""
    spec = replace(runs.spec_of(wishes), folder=str(wishes.file.absolute().parent))
    if not isinstance(spec.made_by, Managed):
        raise WishError(f"a notebook runs in Jupyter's kernel: choose --provisioner=jupyter, not {wishes.provisioner}")
    name = notebook.kernelspec
    if wishes.has_python or name is None or spec.made_by != Jupyter():
        return spec
    try:
        kernelspecs.interpreter_of(name)
    except SpecError as error:
        raise WishError(f"{wishes.file}: {error}; --python=PATH runs it with another interpreter") from None
    return replace(spec, provisioner=Jupyter(kernelspec=name))


def _check_place(wishes: RunWishes) -> None:
    copy = wishes.copy
    if files.same(copy, wishes.file):
        raise WishError(f"{copy} is the notebook itself, which stays as it is: name another --output=FILE.ipynb")
    if not files.is_ordinary(copy) and not copy.is_dir():
        raise WishError(f"the copy can't be written to {copy}, which is no ordinary file: name --output=FILE.ipynb")
    if copy.is_dir() or not os.access(copy if copy.exists() else copy.absolute().parent, os.W_OK):
        raise WishError(f"the copy can't be written to {copy}: name another place with --output=FILE.ipynb")


def _write(notebook: NotebookFile, copy: Path) -> str:
    try:
        notebook.write(copy)
    except (OSError, ValueError) as error:
        return f"the copy can't be written to {copy}: {getattr(error, 'strerror', None) or error}"
    return f"what the cells show is in {copy}"
