"""Kernelspecs that are installed, and kernels that misbehave: each has one clear line, in time, and leaves nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from host_forks import PATIENCE
from hosted_kernels import JUPYTER
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung, KernelStartError, TFKernelError
from pytest_tfkernel.model.processes import Cause, ExitStatus

StartKernel = Callable[..., Kernel]
InstallKernelspec = Callable[[str, list[str]], str]

_PROBLEM_KERNEL = Path(__file__).parents[1] / "saboteurs" / "kernelspecs" / "problem_kernel.py"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: Launcher) -> InstallKernelspec:
    """Install a kernelspec for this test; its name."""
    JUPYTER.python(launcher)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))

    def install(name: str, argv: list[str]) -> str:
        folder = tmp_path / "kernels" / name
        folder.mkdir(parents=True)
        content = {"argv": argv, "display_name": name, "language": "python", "env": {"OF_THE_SPEC": "yes"}}
        (folder / "kernel.json").write_text(json.dumps(content), encoding="utf-8")
        return name

    return install


@pytest.fixture
def start_problem(install: InstallKernelspec, start_hosted: StartKernel) -> Callable[[str], Kernel]:
    """Start a kernel with the problem of this name."""

    def start(problem: str, start_timeout: float = 20.0) -> Kernel:
        install(problem, [sys.executable, str(_PROBLEM_KERNEL), problem, "{connection_file}"])
        return start_hosted(kernelspec=problem, start_timeout=start_timeout)

    return start


def _left(launcher: Launcher) -> tuple[list[Path], list[str]]:
    """Files in the folder of all kernels, and Unix sockets below it."""
    sockets = Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()
    return list(launcher.temporary.iterdir()), [line for line in sockets if str(launcher.temporary) in line]


def test_a_good_one_runs_with_its_environment(install: InstallKernelspec, start_hosted: StartKernel) -> None:
    name = install("good", [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    kernel = start_hosted(kernelspec=name)
    assert kernel.execute("import os; os.environ['OF_THE_SPEC']").value == "yes"
    kernel.inject("sigkill")
    kernel.restart(asked=False)
    assert kernel.execute("os = 1; os").value == 1


@pytest.mark.parametrize(
    ("name", "argv", "line"),
    [
        ("is-absent", None, "is-absent"),
        ("no-program", ["/etc/passwd", "{connection_file}"], "Permission denied"),
        ("no-file", ["/no/such/python", "{connection_file}"], "No such file|doesn't exist"),
    ],
)
def test_one_that_cannot_be_started(
    install: InstallKernelspec,
    start_hosted: StartKernel,
    launcher: Launcher,
    name: str,
    argv: list[str] | None,
    line: str,
) -> None:
    before = _left(launcher)
    if argv is not None:
        install(name, argv)
    with pytest.raises(TFKernelError, match=line) as caught:
        start_hosted(kernelspec=name)
    assert "\n" not in str(caught.value)
    assert _left(launcher) == before


_PROBLEMS = {
    "exits": "of exit code 1 .*\n(.*\n)*problem_kernel: no licence found",
    "garbage-on-shell": "it was ended, since the kernel sent what is not a Jupyter message: Invalid Signature",
    "garbage-in-json": "it was ended, since the kernel sent what is not a Jupyter message: Expecting property name",
    "no-message": "it was ended, since the kernel sent what is not a Jupyter message: list indices",
    "garbage-on-iopub": "it was ended, since the kernel sent what is not a Jupyter message: b'<IDS",
    "no-ipython": "the kernel is not IPython, or not a version that we know: NameError: name 'get_ipython' is not defined",
    "no-content": "the kernel speaks version nothing of Jupyter's protocol, not 5: update it",
    "version-4": "the kernel speaks version 4.1 of Jupyter's protocol, not 5: update it",
    "version-6": "the kernel speaks version 6.0 of Jupyter's protocol, not 5: update it",
    "speaks-r": "the kernel runs R, not Python: choose another kernelspec",
}


@pytest.mark.parametrize(("problem", "line"), _PROBLEMS.items(), ids=_PROBLEMS)
def test_a_kernel_that_is_none(
    start_problem: Callable[..., Kernel], launcher: Launcher, problem: str, line: str
) -> None:
    before = _left(launcher)
    with pytest.raises(KernelStartError, match=line):
        start_problem(problem)
    assert _left(launcher) == before


@pytest.mark.parametrize("problem", ["mute", "prints-garbage"])
def test_a_kernel_that_never_answers_is_ended_in_time(
    start_problem: Callable[..., Kernel], launcher: Launcher, problem: str
) -> None:
    before, begun = _left(launcher), time.monotonic()
    with pytest.raises(KernelStartError, match="no reply for 1.5 s, so it was ended") as caught:
        start_problem(problem, start_timeout=1.5)
    assert time.monotonic() - begun < 10
    if problem == "prints-garbage":
        assert "\\xff\\xfe no text" in str(caught.value)
    assert _left(launcher) == before


def test_one_that_sends_nonsense_later_dies_of_it_at_once(start_problem: Callable[..., Kernel]) -> None:
    kernel = start_problem("garbage-later")
    begun = time.monotonic()
    with pytest.raises(KernelDied, match="it was ended, since the kernel sent what is not a Jupyter message"):
        kernel.execute("'nonsense'")
    assert time.monotonic() - begun < 5


def test_one_that_does_not_answer_a_cell_is_ended_in_time(start_problem: Callable[..., Kernel]) -> None:
    kernel = start_problem("answers-no-cell")
    with pytest.raises(KernelHung, match="no reply for 0.3 s"):
        kernel.execute("'unheard'", timeout=0.3)


def test_one_that_dies_whenever_it_is_started_again(start_problem: Callable[..., Kernel]) -> None:
    kernel = start_problem("dies-again")
    kernel.inject("sigkill")
    with pytest.raises(KernelStartError, match="restarter of jupyter_client has given up"):
        kernel.restart(asked=False)
    assert [one.exit_status for one in kernel.post_mortems[1:]] == [ExitStatus(code=5)] * 5
    with pytest.raises(KernelStartError, match="of exit code 5"):
        kernel.restart()


def test_one_that_is_deaf_to_all_is_killed_by_its_manager(
    start_problem: Callable[..., Kernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE, "1")
    kernel = start_problem("is-deaf")
    kernel.shutdown()
    found = kernel.post_mortems[-1]
    assert (found.exit_status, found.cause) == (ExitStatus(signal=9), Cause.SIGNAL)
