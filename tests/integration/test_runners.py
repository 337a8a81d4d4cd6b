"""The hooks in docs/runners.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from doctors import PATIENT, Doctor
from driver_stub import device, process

PAGE = Path(__file__).parents[2] / "docs/runners.md"
MARK = r"^<!-- run by tests/integration/test_runners.py: ([a-z-]+) -->\n```sh\n(.*?)^```$"
HOOKS = dict(re.findall(MARK, PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))

# Runs the doctor, with time to spare, where it is called as it must be.
PYTHON = """\
#!/bin/sh
[ "$1 $2 $3" = "-I -m pytest_tfkernel" ] || exit 99
shift 3
exec {python} -I -c {code} "$@"
"""
BUSY = [device(), process(1 << 23)]
HUNG = [device(), "error nvmlDeviceGetComputeRunningProcesses_v3 999"]
LOST = [device(), "error nvmlDeviceGetUUID 15"]


@pytest.fixture
def doctor(libraries: Path, tmp_path: Path) -> Doctor:
    return Doctor.make(libraries, tmp_path, device())


def run(doctor: Doctor, hook: str) -> tuple[int, str, bool]:
    """Its exit code and stdout, and whether the node is drained."""
    script, drain = doctor.stub.folder / f"{hook}.sh", doctor.stub.folder / "drain"
    script.write_text(HOOKS[hook], encoding="utf-8")
    python = doctor.stub.folder / "python"
    python.write_text(PYTHON.format(python=sys.executable, code=shlex.quote(PATIENT)), encoding="utf-8")
    python.chmod(0o755)
    # As the runner of GitHub starts it.
    done = subprocess.run(
        ["bash", "-e", script],
        env=doctor.environment | {"TFKERNEL_PYTHON": str(python), "DRAIN_FILE": str(drain), "GPU_WAIT": "0.2"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, drain.exists()


def test_every_hook_of_the_page_is_run_here() -> None:
    assert list(HOOKS) == ["job-started", "job-completed", "prolog"]
    assert PAGE.read_text(encoding="utf-8").count("#!/bin/bash") == len(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_an_idle_gpu_lets_the_job_be(doctor: Doctor, hook: str) -> None:
    code, out, is_drained = run(doctor, hook)
    assert (code, is_drained) == (0, False)
    assert "::" not in out


@pytest.mark.parametrize(("hook", "expected"), [("job-started", 1), ("job-completed", 1), ("prolog", 0)])
def test_a_busy_gpu_fails_the_job_and_drains_nothing(doctor: Doctor, hook: str, expected: int) -> None:
    doctor.stub.write(*BUSY)
    code, out, is_drained = run(doctor, hook)
    assert (code, is_drained) == (expected, False)
    assert str(1 << 23) in out or (hook == "job-completed" and shutil.which("jq") is None)


@pytest.mark.parametrize("hook", HOOKS)
def test_what_nobody_can_tell_lets_the_job_be(doctor: Doctor, hook: str) -> None:
    doctor.stub.write(*HUNG)
    code, out, is_drained = run(doctor, hook)
    assert (code, is_drained) == (0, False)
    assert ("::warning::" in out) == (hook == "job-started")


@pytest.mark.parametrize("hook", ["job-started", "job-completed"])
def test_a_package_that_is_not_where_it_should_be_is_said_to_be(tmp_path: Path, hook: str) -> None:
    script = tmp_path / "hook.sh"
    script.write_text(HOOKS[hook], encoding="utf-8")
    environment = {"PATH": os.environ["PATH"], "TFKERNEL_PYTHON": str(tmp_path / "gone")}
    done = subprocess.run(["bash", "-e", script], env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (
        0,
        f"::warning::{tmp_path}/gone is no interpreter: install the package there\n",
    )


@pytest.mark.parametrize(("hook", "drained"), [("job-started", True), ("job-completed", True), ("prolog", False)])
def test_a_lost_gpu_drains_the_node(doctor: Doctor, hook: str, drained: bool) -> None:
    doctor.stub.write(*LOST)
    code, _, is_drained = run(doctor, hook)
    assert (code, is_drained) == (1, drained)


def test_the_page_names_every_daemon_that_does_not_count() -> None:
    from pytest_tfkernel.doctor.who import DAEMONS

    text = PAGE.read_text(encoding="utf-8")
    assert [daemon for daemon in DAEMONS if f"`{daemon}`" not in text] == []


def test_the_page_names_every_key_of_the_json(doctor: Doctor) -> None:
    doctor.stub.write(*BUSY)
    found = doctor.idle("--json").json
    keys = {
        *found,
        *(
            key
            for rows in found.values()
            if isinstance(rows, list)
            for row in rows
            if isinstance(row, dict)
            for key in row
        ),
    }
    text = PAGE.read_text(encoding="utf-8")
    assert [key for key in keys if f"`{key}`" not in text] == []
