"""Interpreters with which something begins or ends that prints, closes, replaces, waits or fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.specs.interpreters import describe
from pytest_tfkernel.model.processes import ExitStatus

StartKernel = Callable[..., Kernel]
PRINTS = "print('NOISE', flush=True)"
CUSTOMIZE = {
    "prints": PRINTS,
    "prints-much": "print('NOISE' * 1000000, flush=True)",
    "prints-json": "print('{}')",
    "prints-to-stderr": "import sys\nprint('NOISE', file=sys.stderr)",
    "prints-at-exit": "import atexit\natexit.register(print, 'NOISE')",
    "prints-from-a-thread": "import threading\nthreading.Thread(target=print, args=('NOISE',)).start()",
    "leaves-print-in-a-buffer": "import sys\nsys.stdout = open(1, 'w', closefd=False)\nprint('NOISE')",
    "raises": "raise RuntimeError('NOISE')",
    "has-a-hook": "import sys\nsys.excepthook = lambda *_: print('NOISE')",
    "logs": "with open(LOG, 'a') as file:\n    file.write('NOISE' * 1000000)",
}
# These take away what a cell would print; that is as their owner wants it.
SILENT = {
    "replaces-stdout": "import io, sys\nsys.stdout = sys.stderr = io.StringIO()",
    "has-no-stdout": "import sys\nsys.stdout = sys.stderr = None",
    "closes-stdin": "import os\nos.close(0)",
    "closes-stdout": "import os\nos.close(1)",
    "closes-all": "import os\nos.close(0)\nos.close(1)\nos.close(2)",
}
# An end that never comes by itself.
LINGERING = {
    "thread": "import threading\nthreading.Thread(target=threading.Event().wait).start()",
    "exit": "import atexit, threading\natexit.register(threading.Event().wait)",
}
VARIABLES = {
    "PYTHONVERBOSE": "1",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONINSPECT": "1",
    "PYTHONSTARTUP": "/nonexistent",
    "PYTHONSAFEPATH": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "utf-16",
}
OURS = ["subprocess", "forkserver"]
# Its host and its kernels are interpreters too, which begin as those of `subprocess` do.
MULTIPROCESS = "multiprocess-spawn"
MOST = {"prints", "prints-at-exit", "raises", "closes-all"}


def _by_provisioner(codes: dict[str, str]) -> list[Any]:
    """Each with each; with the slowest one in every run what differs most."""
    pairs = [(provisioner, name) for provisioner in (*OURS, MULTIPROCESS) for name in codes]
    return [
        pytest.param(
            provisioner,
            codes[name],
            id=f"{name}-{provisioner}",
            marks=[pytest.mark.soak] if provisioner == MULTIPROCESS and name not in MOST else [],
        )
        for provisioner, name in pairs
    ]


@pytest.fixture
def customize(tmp_path: Path) -> Callable[[str], str]:
    """Write a sitecustomize; the PYTHONPATH where it is found."""

    def write(code: str) -> str:
        folder = tmp_path / "path"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(f"LOG = {str(tmp_path / 'log')!r}\n{code}\n")
        return str(folder)

    return write


def ended(kernel: Kernel, fault: str) -> ExitStatus | None:
    post_mortem = kernel.inject(fault).post_mortem
    assert post_mortem is not None
    return post_mortem.exit_status


def check(launcher: Launcher) -> None:
    found = describe(sys.executable, launcher.supervisor, launcher.new_lease())
    assert (found.executable, found.version) == (sys.executable, sys.version_info[:3])


@pytest.mark.parametrize(
    "code", [*CUSTOMIZE.values(), *SILENT.values(), *LINGERING.values()], ids=[*CUSTOMIZE, *SILENT, *LINGERING]
)
def test_an_interpreter_says_what_it_is(
    launcher: Launcher, customize: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", customize(code))
    check(launcher)


@pytest.mark.parametrize("name", VARIABLES)
def test_an_interpreter_says_what_it_is_whatever_it_is_told(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, VARIABLES[name])
    check(launcher)


@pytest.mark.parametrize("name", ["json", "re", "random", "os", "enum"])
def test_an_interpreter_says_what_it_is_beside_a_module_of_that_name(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name in {"os", "enum"} and sys.version_info < (3, 11):
        pytest.skip("no Python begins with that")
    (tmp_path / f"{name}.py").write_text("raise RuntimeError('taken')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check(launcher)


def test_a_wrapper_may_say_what_it_does(launcher: Launcher, tmp_path: Path) -> None:
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\necho "activating {{}}"\n"{sys.executable}" "$@"\necho done\n')
    wrapper.chmod(0o755)
    assert describe(str(wrapper), launcher.supervisor, launcher.new_lease()).version == sys.version_info[:3]


@pytest.mark.parametrize(("provisioner", "code"), _by_provisioner(CUSTOMIZE))
def test_what_a_cell_prints_is_its_own(
    start: StartKernel, customize: Callable[[str], str], provisioner: str, code: str
) -> None:
    if "multiprocess" in provisioner:
        pytest.importorskip("multiprocess")
    kernel = start(provisioner=provisioner, environment={"PYTHONPATH": customize(code)})
    for _ in range(2):
        reply = kernel.execute("import os\nprint('grüß dich', flush=True)\nos.system('echo later')\n6 * 7")
        assert (reply.value, reply.stdout) == (42, "grüß dich\nlater\n")
        assert ended(kernel, "os-exit-3") == ExitStatus(code=3)
        kernel.restart()


@pytest.mark.parametrize(("provisioner", "code"), _by_provisioner(SILENT))
def test_a_stream_that_is_gone_costs_no_channel(
    start: StartKernel, customize: Callable[[str], str], provisioner: str, code: str
) -> None:
    if "multiprocess" in provisioner:
        pytest.importorskip("multiprocess")
    kernel = start(provisioner=provisioner, environment={"PYTHONPATH": customize(code)})
    for _ in range(2):
        assert kernel.execute("import os\nprint('lost')\nos.system('echo lost, too')\n6 * 7").value == 42
        assert ended(kernel, "sigkill") == ExitStatus(signal=9)
        kernel.restart()
