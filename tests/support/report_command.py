"""`python -m pytest_tfkernel gpu-report`, in a process of its own on a stand-in for the driver."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from driver_stub import DriverStub
from pytest_tfkernel.gpu_report import index
from warm import Warm

# In each process of ours that isn't a kernel, devices are looked for in the folder of the stand-in, and not in /dev.
SITE = """
import os, sys
from pathlib import Path

if any(word.startswith("pytest") for word in sys.orig_argv[1:]):
    from pytest_tfkernel.doctor import site
    from pytest_tfkernel.gpu_report import command
    from pytest_tfkernel.machine import gpus

    folder = Path(os.environ["TFKERNEL_STUB"])
    gpus.Gpus.__init__.__defaults__ = (None, folder)
    command.run.__defaults__ = (folder,)
    original = site.Site.__init__
    site.Site.__init__ = lambda self: original(self, devices=folder)
"""
# The same for a process that has begun before.
_FORKED = f"""
import sys
sys.orig_argv = ["python", "-m", "pytest_tfkernel"]
{SITE}
from pytest_tfkernel import __main__ as program
sys.exit(program.main(sys.argv[1:]))
"""
SECONDS = 300


@dataclass(frozen=True)
class Said:
    """What the command said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """The command, on the machine of a stub. With `warm`, a run is forked from it."""

    stub: DriverStub
    folder: Path
    warm: Warm | None = None

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def environment(self) -> dict[str, str]:
        dropped = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
        # Spyder comes without matplotlib, which takes longer than all the rest of it.
        paths = [str(self.folder / "site"), str(Path(__file__).parent / "plain")]
        return dropped | self.stub.environment | {"PYTHONPATH": os.pathsep.join(paths)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest_tfkernel", "gpu-report", str(self.report), *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Said:
        # Drivers are loaded by what it starts.
        if self.warm is not None and self.warm.can_run(self.environment, loads=False):
            words = ["gpu-report", str(self.report), *arguments]
            return _shown(Said(*self.warm.run(words, self.folder, self.environment, SECONDS, _FORKED)))
        with self.start(*arguments) as child:
            return end(child)

    def steps(self) -> list[tuple[str, str, str]]:
        return [(one.part, one.state, one.document) for one in index.load(self.report / "index.json").steps]


def end(child: subprocess.Popen[str]) -> Said:
    out, err = child.communicate(timeout=SECONDS)
    return _shown(Said(child.returncode, out, err))


def _shown(said: Said) -> Said:
    sys.stdout.write(said.out)
    sys.stderr.write(said.err)
    return said
