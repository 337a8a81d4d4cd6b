"""`python -m pytest_tfkernel doctor`, in a process of its own on a machine that a test describes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver_stub import DriverStub

# Looks for devices in the folder of the stand-in, and not in /dev.
WITH_DEVICES = """
import os, sys
from pathlib import Path
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.doctor import site

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


@dataclass(frozen=True)
class Said:
    """What it said, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Doctor:
    """The program, on the machine of a stub."""

    stub: DriverStub

    @classmethod
    def make(cls, libraries: Path, folder: Path, *machine: str) -> Doctor:
        stub = DriverStub(libraries, folder)
        stub.write(*machine)
        return cls(stub)

    def start(
        self, *arguments: str, code: str = "", python: Sequence[str] = (sys.executable,), **environment: str
    ) -> subprocess.Popen[str]:
        program = ["-c", code] if code else ["-m", "pytest_tfkernel"]
        return subprocess.Popen(
            [*python, *program, "doctor", *arguments],
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: str, code: str = "", python: Sequence[str] = (sys.executable,), **environment: str
    ) -> Said:
        began = time.monotonic()
        with self.start(*arguments, code=code, python=python, **environment) as child:
            out, err = child.communicate(timeout=120)
        # Shown when the test fails.
        sys.stdout.write(out)
        sys.stderr.write(err)
        return Said(child.returncode, out, err, time.monotonic() - began)

    def idle(self, *arguments: str, **environment: str) -> Said:
        """Whether the GPU is idle, asked of a driver that answers: a machine that is too busy for that is asked again."""
        said = self.run("--require=gpu-idle", *arguments, **environment)
        for _ in range(5):
            if "no answer within" in said.err:
                said = self.run("--require=gpu-idle", *arguments, **environment)
        return said

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
