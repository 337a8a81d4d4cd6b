"""`python -m pytest_tfkernel gpu-report`, in a process of its own, on a stand-in for the driver."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driver_stub import DriverStub, device, process
from pytest_tfkernel import __main__ as program
from pytest_tfkernel._child import proc
from pytest_tfkernel.gpu_report import figures, index
from pytest_tfkernel.report.store import load
from report_command import SECONDS, SITE, Command, end
from warm import Warm

DONE, RED, CANT_TELL, INTERRUPTED = 0, 1, 2, 130
# As the stand-in calls itself.
CARD = "Stand-in H100 (stand-in driver)"


@pytest.fixture
def command(libraries: Path, tmp_path: Path, warm: Warm) -> Command:
    """On a machine with one GPU, whose driver says that it is none of NVIDIA's."""
    (tmp_path / "machine").mkdir()
    stub = DriverStub(libraries, tmp_path / "machine")
    stub.write(device(name="Stand-in H100"))
    (stub.folder / "nvidia0").touch()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(SITE)
    return Command(stub, tmp_path, warm)


@pytest.fixture(autouse=True)
def all_ended(eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """The supervisor of a command that was killed ends after it: wait for that."""
    before = {one["pid"] for one in proc.descendants(os.getpid())}
    yield

    def have_ended() -> bool:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        return all(one["pid"] in before for one in proc.descendants(os.getpid()))

    eventually(have_ended)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--minutes=0"], "0 is not a number from 1 to 1440"),
        (["--minutes=nan"], "nan is not a number from 1 to 1440"),
        (["--minutes=inf"], "inf is not a number from 1 to 1440"),
        (["--minutes=-5"], "-5 is not a number from 1 to 1440"),
        (["--minutes=15min"], "15min is not a number from 1 to 1440"),
        (["--minutes="], " is not a number from 1 to 1440"),
        (["--workers=-1"], "-1 is not a number from 0 to 1000"),
        (["--workers=two"], "two is not a number from 0 to 1000"),
        (["--part=all"], "--part=all: unknown; choose from smoke, standard, oom-gpu, cuda-fault, driver, doctor"),
        (["--allow=sigkill"], "--allow=sigkill: unknown; choose from oom-gpu, cuda-fault"),
        (["--part=oom-gpu"], "--part=oom-gpu may harm other users of the GPU: add --allow=oom-gpu"),
        (["--python=/nonexistent"], "/nonexistent' doesn't exist: name a Python interpreter"),
    ],
)
def test_nonsense_is_a_line_before_anything_runs(command: Command, arguments: list[str], words: str) -> None:
    said = command.run(*arguments)
    assert (said.code, said.out) == (CANT_TELL, "")
    assert words in said.err.splitlines()[-1]
    assert not command.report.exists()


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (None, "this machine lacks GPUs: no /"),
        ([device(), "error nvmlInitWithFlags 9"], "this machine lacks GPUs: there is no NVIDIA driver: "),
        ([device(), "error cuInit 999"], "this machine lacks GPUs: no CUDA context can be made: "),
        ([device(), process(4000000, kind="mps")], "nothing may be killed here: MPS is running"),
    ],
    ids=["no device", "no driver", "no context", "mps"],
)
def test_a_machine_on_which_nothing_can_be_measured_is_a_line(
    command: Command, machine: list[str] | None, words: str
) -> None:
    if machine is None:
        (command.stub.folder / "nvidia0").unlink()
    else:
        command.stub.write(*machine)
    said = command.run()
    assert (said.code, said.out, said.err.count("\n")) == (CANT_TELL, "", 1)
    assert said.err.startswith(f"gpu-report: {words}")
    assert not command.report.exists()


def test_an_interpreter_without_tensorflow_is_enough_for_what_needs_none(command: Command) -> None:
    bare = f"--python={sys._base_executable}"  # type: ignore[attr-defined]
    said = command.run(bare)
    if "there is no TensorFlow: " not in said.err:
        pytest.skip(f"{bare} has one, or can't run kernels: {said.err}")
    assert (said.code, said.out, said.err.count("\n")) == (CANT_TELL, "", 1)
    assert said.err.endswith("or ask for what needs none: --part=driver --part=doctor\n")
    assert not command.report.exists()
    assert command.run(bare, "--part=doctor").code == DONE
    assert json.loads((command.report / "doctor.json").read_text())["kernel_tensorflow"] is None


def test_a_folder_of_others_is_left_alone(command: Command) -> None:
    command.report.mkdir()
    (command.report / "train.py").write_text("theirs")
    said = command.run("--part=doctor")
    assert (said.code, said.out, said.err.count("\n")) == (CANT_TELL, "", 1)
    assert "has files that are not from a report (train.py): name a new folder" in said.err
    assert os.listdir(command.report) == ["train.py"]


def test_parts_are_documents_that_others_read_and_are_made_once(command: Command, tensorflow_python: str) -> None:
    said = command.run("--part=doctor", "--part=smoke")
    assert (said.code, said.err) == (DONE, "")
    first, versions = said.out.splitlines()[:2]
    # Of the stub's own version nothing is asked.
    assert first.startswith(f"gpu-report: {CARD}, driver ")
    assert first.endswith(" (stand-in driver: nothing here was measured on a GPU)")
    assert "TensorFlow 2." in versions
    assert command.steps() == [("smoke", "done", "smoke.json"), ("doctor", "done", "doctor.json")]
    run = load(command.report / "smoke.json")
    assert run.complete
    assert run.environment.machine.gpus == [CARD]
    assert json.loads((command.report / "doctor.json").read_text())["gpus"][0]["name"] == CARD
    # A TensorFlow that is built for the CPU doesn't list the card.
    assert {(one.guarantee, one.verdict) for one in run.verdicts if one.verdict != "PASS"} == {
        ("gpu-matmul", "UNKNOWN")
    }
    assert "16 passed, 1 unknown" in (command.report / "smoke.log").read_text()
    before = {path.name: path.stat().st_mtime_ns for path in command.report.iterdir() if path.name != "index.json"}
    again = command.run("--part=doctor", "--part=smoke")
    assert (again.code, again.err) == (DONE, "")
    assert again.out.splitlines()[-1] == f"gpu-report: all of it is in {command.report}"
    after = {path.name: path.stat().st_mtime_ns for path in command.report.iterdir() if path.name != "index.json"}
    assert before == after
    command.stub.write(device(name="Stand-in H200"))
    other = command.run("--part=doctor")
    assert (other.code, other.out, other.err.count("\n")) == (CANT_TELL, "", 1)
    another = CARD.replace("H100", "H200")
    assert f"has a report of another place: GPU {CARD}, and here {another}: name a new folder" in other.err


def test_a_report_without_its_index_is_not_gone_on_with(command: Command) -> None:
    assert command.run("--part=doctor").code == DONE
    (command.report / "doctor.json").unlink()
    (command.report / "index.json").unlink()
    said = command.run("--part=doctor")
    assert (said.code, said.err.count("\n")) == (CANT_TELL, 1)
    assert "has files that are not from a report (doctor.log)" in said.err


def lives(pid: int) -> bool:
    stat = proc.read_stat(pid)
    return stat is not None and stat.state != "Z"


def test_workers_need_what_plays_on_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert program.main(["gpu-report", "nowhere", "--workers=2"]) == CANT_TELL
    said = capsys.readouterr().err
    assert said.startswith("gpu-report: --workers needs pytest-xdist: pip install 'pytest-tfkernel[xdist]'")


@contextlib.contextmanager
def in_the_middle(
    command: Command, eventually: Callable[[Callable[[], object]], None]
) -> Iterator[subprocess.Popen[str]]:
    """The command, while it measures: some of it is on disk."""

    def has_begun() -> bool:
        with contextlib.suppress(Exception):
            return len(figures.load(command.report / "driver.json").checks) >= 2
        return child.poll() is not None

    with command.start("--part=driver", "--part=doctor") as child:
        eventually(has_begun)
        yield child


def test_a_command_that_is_killed_loses_nothing_and_leaves_nobody(
    command: Command, eventually: Callable[[Callable[[], object]], None]
) -> None:
    with in_the_middle(command, eventually) as child:
        below = [one["pid"] for one in proc.descendants(child.pid)]
        assert below
        child.kill()
        child.wait()
    eventually(lambda: not any(lives(pid) for pid in below))
    assert command.steps() == [("driver", "running", "driver.json")]
    found = figures.load(command.report / "driver.json")
    assert not found.complete
    assert len(found.checks) >= 2
    kept = (command.report / "driver.json").read_bytes()
    said = command.run("--part=driver", "--part=doctor")
    assert (said.code, said.err) == (DONE, "")
    assert command.steps() == [
        ("driver", "cut", "driver.json"),
        ("driver", "done", "driver-2.json"),
        ("doctor", "done", "doctor.json"),
    ]
    assert (command.report / "driver.json").read_bytes() == kept
    whole = figures.load(command.report / "driver-2.json")
    assert whole.complete
    assert {one.state for one in whole.checks} == {"PASS", "UNKNOWN"}
    assert [one.name for one in whole.checks if one.state == "UNKNOWN"] == [
        "an orphan that has the handles is found and named",
        "the next kernel can allocate what the dead one held",
        "released after cuda-fault",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_is_written_down(
    command: Command, eventually: Callable[[Callable[[], object]], None], number: int
) -> None:
    with in_the_middle(command, eventually) as child:
        child.send_signal(number)
        said = end(child)
    assert (said.code, said.err) == (INTERRUPTED, "gpu-report: interrupted: the same command, run again, goes on\n")
    first, second = index.load(command.report / "index.json").steps
    assert (first.part, first.state, first.why) == ("driver", "cut", "interrupted")
    assert (second.part, second.state, second.why) == ("doctor", "skipped", "interrupted before it")
    assert len(figures.load(command.report / "driver.json").checks) >= 2


def test_a_disk_that_is_full_is_a_line_and_what_is_there_stays(command: Command) -> None:
    room = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*room, "true"], check=False).returncode:
        pytest.skip("no mount namespace may be made here")
    command.report.mkdir()
    script = 'mount -t tmpfs -o size=20k none "$0" || exit 77; "$@"; code=$?; cp -R "$0" "$0.copy"; exit $code'
    line = [sys.executable, "-m", "pytest_tfkernel", "gpu-report", str(command.report), "--part=driver"]
    done = subprocess.run(
        [*room, "sh", "-c", script, str(command.report), *line],
        env=command.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("nothing may be mounted here")
    print(done.stdout, done.stderr)
    copy = command.folder / "report.copy"
    (step,) = index.load(copy / "index.json").steps
    found = figures.load(copy / "driver.json")
    assert found.checks
    assert not found.complete
    assert (step.part, step.document) == ("driver", "driver.json")
    if step.state == "running":
        assert done.returncode == CANT_TELL
        assert done.stderr.count("\n") == 1
        assert "index.json can't be written: No space left on device; make room or name another folder" in done.stderr
    else:
        assert (step.state, done.returncode) == ("broken", RED)
        assert "driver.json can't be written: No space left on device" in (copy / "driver.log").read_text()
