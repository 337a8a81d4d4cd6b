"""`python -m pytest_tfkernel doctor`, in a process of its own on a machine that a test describes.

Its interpreter is a fresh one where a test starts it by itself, or says so.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver_stub import DriverStub
from warm import Warm

# Has as long as it takes: what it says may not hang on how busy the machine is. READ_SECONDS is for a driver that hangs.
PATIENT = """
import os, sys
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import command, idle

command._SECONDS = 600.0
idle.READ_SECONDS = float(os.environ.get("READ_SECONDS", "600"))
if __name__ == "__main__":
    sys.exit(program.main(sys.argv[1:]))
"""
# Looks for devices in the folder of the stand-in, and not in /dev.
WITH_DEVICES = """
import os, sys
from pathlib import Path
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import command, idle, site

command._SECONDS = 600.0
idle.READ_SECONDS = float(os.environ.get("READ_SECONDS", "600"))

original, folder = site.Site.__init__, Path(os.environ["TFKERNEL_STUB"])
site.Site.__init__ = lambda self: original(self, devices=folder)
sys.exit(program.main(sys.argv[1:]))
"""
# A process with a context on its first device.
HOLDER = """
import ctypes, sys
cuda, context = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
assert cuda.cuInit(0) == 0
assert cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
print("holding", flush=True)
sys.stdin.read()
"""


# The program itself, which gives up before two seconds have passed.
REAL = "import sys\nfrom pytest_tfkernel import __main__ as program\nsys.exit(program.main(sys.argv[1:]))"
_SECONDS = 300


@dataclass(frozen=True)
class Said:
    """What it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Doctor:
    """The program, on the machine of a stub. With `warm`, a run is forked from it."""

    stub: DriverStub
    warm: Warm | None = None

    @classmethod
    def make(cls, libraries: Path, folder: Path, *machine: str, warm: Warm | None = None) -> Doctor:
        stub = DriverStub(libraries, folder)
        stub.write(*machine)
        return cls(stub, warm)

    def start(
        self, *arguments: str, code: str = PATIENT, python: Sequence[str] = (sys.executable,), **environment: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*python, "-c", code, "doctor", *arguments],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, code: str = PATIENT, python: Sequence[str] = (), **environment: str) -> Said:
        whole = self.environment | environment
        # The driver is loaded by a helper, which is another program.
        if self.warm is not None and not python and self.warm.can_run(whole, loads=False):
            status, out, err = self.warm.run(["doctor", *arguments], Path.cwd(), whole, _SECONDS, code)
        else:
            with self.start(*arguments, code=code, python=python or (sys.executable,), **environment) as child:
                out, err = child.communicate(timeout=_SECONDS)
            status = child.returncode
        # Shown when the test fails.
        sys.stdout.write(out)
        sys.stderr.write(err)
        return Said(status, out, err)

    def idle(self, *arguments: str, **environment: str) -> Said:
        """Whether the GPU is idle."""
        return self.run("--require=gpu-idle", *arguments, **environment)

    def examine(self, *arguments: str, **environment: str) -> Said:
        """The same where the GPU has a device, `nvidia0` in the folder."""
        (self.stub.folder / "nvidia0").touch()
        return self.run(*arguments, code=WITH_DEVICES, **environment)

    @contextlib.contextmanager
    def held(self, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """Another process with a context, `python .../train.py`, until its end."""
        script = self.stub.folder / "train.py"
        script.write_text(HOLDER, encoding="utf-8")
        with subprocess.Popen(
            [sys.executable, script],
            env=self.environment | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            try:
                assert child.stdout.readline() == "holding\n"
                yield child
            finally:
                child.kill()

    @property
    def environment(self) -> dict[str, str]:
        ours = {name: text for name, text in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
        return ours | self.stub.environment
