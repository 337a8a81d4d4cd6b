"""`python -m pytest_tfkernel doctor`: what it says of machines with and without GPUs, and its exit codes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest

from doctors import PATIENT, REAL, WITH_DEVICES, Doctor
from driver_stub import GIB, DriverStub, build, device, mig, process, uuid
from pytest_tfkernel._child import proc
from warm import Warm

MET, NOT_MET, UNKNOWN, LOST = range(4)
# Nobody has it: beyond the largest pid of the Linux kernel.
NOBODY = 1 << 23
ROOT = Path(__file__).parents[2]


@pytest.fixture
def doctor(libraries: Path, tmp_path: Path, warm: Warm) -> Doctor:
    """On a machine with one idle GPU."""
    return Doctor.make(libraries, tmp_path, device(), warm=warm)


def can_run(command: list[str]) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, check=False).returncode == 0


def helpers(root: int | None = None) -> list[str]:
    """The processes of a doctor, or of the tests around it."""
    commands = [proc.command_line(one["pid"]) for one in proc.descendants(root or os.getpid())]
    return [command for command in commands if "pytest_tfkernel/_child" in command]


# gpu-idle


def test_an_idle_gpu_is_met(doctor: Doctor) -> None:
    said = doctor.idle()
    assert (said.code, said.err) == (MET, "")
    assert re.match(r"gpu-idle: met after \d+\.\d s$", said.out)


def test_a_foreign_process_is_named_although_nobody_knows_it(doctor: Doctor) -> None:
    doctor.stub.write(device(), process(NOBODY))
    said = doctor.idle()
    assert (said.code, said.err) == (NOT_MET, "")
    assert f"held by 1 process(es): {NOBODY}\n" in said.out
    why = r"(not visible here \(another pid namespace\?\)|has ended, but is still listed: .*)"
    assert re.search(rf"^  pid {NOBODY}: {why}: 1024 MiB of GPU 0 \(compute\)$", said.out, re.MULTILINE)


def test_memory_that_nobody_holds_is_no_idle_gpu(doctor: Doctor) -> None:
    doctor.stub.write(device(used=10 * GIB))
    said = doctor.idle()
    assert (said.code, said.out, said.err.count("\n")) == (UNKNOWN, "", 1)
    assert f"10240 MiB of {uuid(0)} are in use, by nobody " in said.err


def test_a_process_with_a_context_is_named_with_its_command(doctor: Doctor) -> None:
    with doctor.held() as child:
        said = doctor.idle()
        (row,) = doctor.idle("--json").json["holders"]
    assert said.code == NOT_MET
    line = next(line for line in said.out.splitlines() if line.startswith(f"  pid {child.pid} ("))
    assert f": {sys.executable} /" in line
    assert line.endswith(": 500 MiB of GPU 0 (compute)")
    assert (row["pid"], row["gpu"], row["kind"], row["role"]) == (child.pid, uuid(0), "compute", "user")
    assert row["command"].endswith("train.py")
    assert row["user"]
    assert doctor.idle().code == MET


def test_a_thread_is_its_process(doctor: Doctor) -> None:
    code = (
        "import threading\nthread = threading.Thread(target=input)\nthread.start()\nprint(thread.native_id, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        doctor.stub.write(device(), process(int(child.stdout.readline())))
        rows = doctor.idle("--json").json["holders"]
        child.kill()
    assert [row["pid"] for row in rows] == [child.pid]


def test_it_waits_until_the_gpu_is_idle(doctor: Doctor, eventually: Callable[[Callable[[], object]], None]) -> None:
    with doctor.held() as holder, doctor.start("--require=gpu-idle", "--wait=600") as child:
        # It looks by now, or has an answer.
        eventually(lambda: helpers(child.pid) or child.poll() is not None)
        holder.kill()
        out, err = child.communicate(timeout=300)
    assert (child.returncode, err) == (MET, "")
    assert out.startswith("gpu-idle: met after ")


def test_a_wait_comes_to_its_end(doctor: Doctor) -> None:
    doctor.stub.write(device(), process(NOBODY))
    said = doctor.idle("--wait=0.7")
    assert said.code == NOT_MET
    found = re.match(r"gpu-idle: not met after (\d+\.\d) s: ", said.out)
    assert found is not None
    assert float(found[1]) >= 0.7


def test_memory_that_still_falls_is_not_idle(doctor: Doctor) -> None:
    doctor.stub.write(device(), "fall 2")
    with doctor.held() as child:
        child.kill()
    said = doctor.idle()
    assert said.code == NOT_MET
    assert "its memory in use is still changing" in said.out
    assert doctor.idle("--wait=600").code == MET


@pytest.mark.parametrize(
    "function",
    ["nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetMemoryInfo_v2"],
)
def test_a_lost_gpu_is_one_line_and_a_code_of_its_own(doctor: Doctor, function: str) -> None:
    doctor.stub.write(device(), f"error {function} 15")
    # Not waited for: it would be killed first.
    said = doctor.idle("--wait=100000")
    assert (said.code, said.out, said.err.count("\n")) == (LOST, "", 1)
    assert said.err.startswith("gpu-idle: device lost")
    assert said.err.endswith("GPU 0: GPU is lost\n")


def test_a_library_that_finds_its_gpu_lost_is_enough(doctor: Doctor) -> None:
    doctor.stub.write(device(), "error nvmlInitWithFlags 15")
    assert doctor.idle().code == LOST


def test_a_gpu_of_others_is_not_lost(doctor: Doctor) -> None:
    doctor.stub.write(device(), "error nvmlDeviceGetHandleByIndex_v2 4")
    said = doctor.idle()
    assert (said.code, said.out) == (UNKNOWN, "")
    assert "no GPU may be opened here (GPU 0: Insufficient Permissions)" in said.err


@pytest.mark.parametrize("function", ["nvmlInitWithFlags", "nvmlDeviceGetComputeRunningProcesses_v3"])
def test_a_driver_that_hangs_leaves_nothing_known_and_nothing_behind(
    doctor: Doctor, function: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    doctor.stub.write(device(), f"hang {function}")
    before = helpers()
    said = doctor.run("--require=gpu-idle", code=REAL)
    assert (said.code, said.out, said.err.count("\n")) == (UNKNOWN, "", 1)
    assert re.match(r"gpu-idle: can't tell.*: no answer within |gpu-idle: can't tell.*NVML gives no answer", said.err)
    eventually(lambda: helpers() == before)


def test_a_driver_that_starts_slowly_may_use_the_wait(doctor: Doctor) -> None:
    doctor.stub.write(device(), "hang nvmlInitWithFlags")
    said = doctor.run("--require=gpu-idle", "--wait=1", code=REAL)
    assert said.code == UNKNOWN
    # All of it together, or the first reading: 1.85 s and 1.3 s without the wait.
    assert re.search(r"no answer within 2\.(85|3) s", said.err)


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        ([], "NVML finds no GPU"),
        ([device(), "error nvmlInitWithFlags 18"], "NVML fails: RM has detected an NVML/RM version mismatch."),
        ([device(), "error nvmlDeviceGetComputeRunningProcesses_v3 999"], "can't be read: Unknown Error"),
        ([device(), "crash nvmlDeviceGetName"], "NVML fails: the nvml helper ended"),
        ([device(), process(NOBODY, kind="mps")], "MPS is running"),
    ],
    ids=["no-gpu", "mismatch", "no-list", "crash", "mps"],
)
def test_what_nobody_can_tell_is_one_line(doctor: Doctor, machine: list[str], reason: str) -> None:
    doctor.stub.write(*machine)
    said = doctor.idle("--wait=100000")
    assert (said.code, said.out, said.err.count("\n")) == (UNKNOWN, "", 1)
    assert reason in said.err


def test_without_a_driver_it_says_what_to_do(doctor: Doctor) -> None:
    (doctor.stub.folder / "machine").unlink()
    said = doctor.idle()
    assert said.code == UNKNOWN
    assert "no NVIDIA driver (Driver Not Loaded)" in said.err
    assert "--gpus all" in said.err


def test_without_the_library_it_says_the_same(doctor: Doctor) -> None:
    if any(Path("/dev").glob("nvidia*")):
        pytest.skip("there is a driver here")
    said = doctor.idle(LD_LIBRARY_PATH="")
    assert said.code == UNKNOWN
    assert "no NVIDIA driver (NVML Shared Library Not Found)" in said.err


@pytest.mark.parametrize(
    ("chosen", "code"),
    [
        ("1", MET),
        ("0", NOT_MET),
        ("1,0", NOT_MET),
        (uuid(1), MET),
        ("GPU-00000001", MET),
        ("", UNKNOWN),
        ("7", UNKNOWN),
    ],
)
def test_only_the_chosen_gpus_count(doctor: Doctor, chosen: str, code: int) -> None:
    doctor.stub.write(device(0), device(1), process(NOBODY, device=0))
    assert doctor.idle(CUDA_VISIBLE_DEVICES=chosen).code == code
    assert doctor.idle().code == NOT_MET


@pytest.mark.parametrize(("chosen", "code"), [(uuid(8, "MIG"), NOT_MET), (uuid(7, "MIG"), MET), ("0", MET)])
def test_a_part_of_a_gpu_is_looked_at_by_itself(doctor: Doctor, chosen: str, code: int) -> None:
    doctor.stub.write(device(mig="on"), mig(7), mig(8), process(NOBODY, mig=1))
    assert doctor.idle(CUDA_VISIBLE_DEVICES=chosen).code == code
    said = doctor.idle()
    assert said.code == NOT_MET
    assert "1024 MiB of GPU 0:1 (compute)\n" in said.out


@pytest.mark.parametrize("lie", ["garbage", "lie count=9"])
def test_nobody_is_no_process(doctor: Doctor, lie: str) -> None:
    doctor.stub.write(device(), lie)
    assert doctor.idle().code == MET


# Open devices


def test_an_open_device_is_a_use_of_the_gpu(doctor: Doctor) -> None:
    path = doctor.stub.folder / "nvidia0"
    with path.open("w"), doctor.start("--require=gpu-idle", code=WITH_DEVICES) as child:
        out, _ = child.communicate(timeout=60)
    assert child.returncode == NOT_MET
    assert f"pid {os.getpid()} (" in out
    assert str(path) in out
    assert doctor.examine("--require=gpu-idle").code == MET


def test_a_daemon_of_the_driver_is_shown_and_does_not_count(
    doctor: Doctor, eventually: Callable[[Callable[[], object]], None]
) -> None:
    command = 'exec -a /usr/bin/nvidia-persistenced sleep 60 3<>"$TFKERNEL_STUB/nvidia0"'
    with subprocess.Popen(
        ["bash", "-c", f"echo && {command}"], env=doctor.environment, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        eventually(lambda: "nvidia-persistenced" in proc.command_line(child.pid).partition(" ")[0])
        said = doctor.examine("--require=gpu-idle", "--json")
        child.kill()
    assert said.code == MET
    assert [(row["pid"], row["role"]) for row in said.json["holders"]] == [(child.pid, "daemon")]


def test_a_job_on_another_gpu_may_have_this_one_open(doctor: Doctor) -> None:
    doctor.stub.write(device(0), device(1), "handles")
    with doctor.held() as child:
        found = doctor.examine("--require=gpu-idle", "--json", CUDA_VISIBLE_DEVICES="1")
        assert found.code == MET
        assert [row["pid"] for row in found.json["holders"]] == [child.pid]
        assert found.json["holders"][0]["devices"] == [str(doctor.stub.folder / "nvidia0")]


# Other requirements


@pytest.mark.parametrize(
    ("machine", "name", "code"),
    [
        ([device()], "nvml-processes", MET),
        ([device()], "gpu-memory", MET),
        ([device(), "pids host"], "nvml-processes", NOT_MET),
        ([device(), process(NOBODY)], "gpu-memory", NOT_MET),
        ([device(memory=False)], "gpu-memory", NOT_MET),
        ([device(compute_mode=2)], "nvml-processes", UNKNOWN),
        ([device(), "hang nvmlDeviceGetName"], "nvml-processes", UNKNOWN),
        ([device(), "error nvmlDeviceGetName 15"], "nvml-processes", LOST),
        ([device(), "hang nvmlDeviceGetName"], "gpu", UNKNOWN),
        ([device()], "gpu", MET),
        ([], "gpu", NOT_MET),
    ],
)
def test_a_capability_can_be_required(doctor: Doctor, machine: list[str], name: str, code: int) -> None:
    doctor.stub.write(*machine)
    hangs = any(line.startswith("hang ") for line in machine)
    said = doctor.examine(f"--require={name}", READ_SECONDS="1" if hangs else "600")
    assert said.code == code
    assert f"{name}: " in (said.out if code in {MET, NOT_MET} else said.err)


def test_the_worst_answer_counts(doctor: Doctor) -> None:
    both = ("--require=nvml-processes", "--require=gpu-idle")
    assert doctor.examine(*both).code == MET
    doctor.stub.write(device(), "pids hidden")
    said = doctor.examine(*both)
    assert said.code == NOT_MET
    assert [line.partition(":")[0] for line in said.out.splitlines()] == ["nvml-processes", "gpu-idle"]
    doctor.stub.write(device(), "error nvmlDeviceGetComputeRunningProcesses_v3 999")
    assert doctor.examine("--require=gpu", "--require=gpu-idle").code == UNKNOWN


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--require=unicorns",), "usage error: --require=unicorns: unknown; choose from tensorflow, oom-kill"),
        (("--wait=3",), "usage error: --wait is for --require=gpu-idle"),
        (("--require=tensorflow", "--python=/nonexistent"), "python='/nonexistent' doesn't exist"),
    ],
)
def test_a_wrong_question_is_one_line(doctor: Doctor, arguments: tuple[str, ...], text: str) -> None:
    said = doctor.run(*arguments)
    assert (said.code, said.out, said.err.count("\n")) == (UNKNOWN, "", 1)
    assert text in said.err


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "inf"])
def test_a_wrong_wait_is_refused(doctor: Doctor, wait: str) -> None:
    said = doctor.idle(f"--wait={wait}")
    assert said.code == UNKNOWN
    assert "argument --wait" in said.err


# The report


def test_the_report_says_what_can_be_checked_and_who_is_there(doctor: Doctor) -> None:
    with doctor.held() as child:
        said = doctor.examine()
    assert (said.code, said.err) == (MET, "")
    assert "Can be checked here:\n" in said.out
    assert re.search(r"^  nvml-processes +processes on GPUs$", said.out, re.MULTILINE)
    assert re.search(r"^  gpu-memory .*\(1 other process\(es\) use this GPU\)$", said.out, re.MULTILINE)
    assert f"  0 NVIDIA H100 (stand-in driver) ({uuid(0)}): 0.5 of 80.0 GiB in use\n" in said.out
    assert f"  pid {child.pid} (" in said.out
    assert "A CUDA context was made" in said.out
    assert "What to change:\n" in said.out


def test_json_holds_the_same_facts(doctor: Doctor) -> None:
    doctor.stub.write(device(0), device(1), "pids host")
    with doctor.held() as child:
        said = doctor.examine("--json", CUDA_VISIBLE_DEVICES="1")
    found = said.json
    assert (said.code, said.err, found["schema"], found["exit"]) == (MET, "", 1, MET)
    assert found["kernel_python"]
    assert found["driver"] == "580.159.04 (stand-in)"
    assert (found["visible_devices"], found["made_context"]) == ("1", True)
    available = {one["name"]: one["available"] for one in found["capabilities"]}
    assert list(available) == [
        "tensorflow", "oom-kill", "process-limit", "jupyter", "spyder", "multiprocess", "gpu", "nvml-processes", "gpu-memory", "gpu-idle"
    ]  # fmt: skip
    assert (available["nvml-processes"], available["gpu-idle"]) == (False, True)
    assert [(gpu["uuid"], gpu["visible"]) for gpu in found["gpus"]] == [(uuid(0), False), (uuid(1), True)]
    assert [(row["pid"], row["known"]) for row in found["holders"]] == [(child.pid + 1_000_000, False)]
    assert any("--pid=host" in change for change in found["changes"])


def test_json_of_a_requirement_says_what_the_exit_code_says(doctor: Doctor) -> None:
    doctor.stub.write(device(), process(NOBODY))
    said = doctor.idle("--json")
    (found,) = said.json["requirements"]
    assert said.code == said.json["exit"] == found["exit"] == NOT_MET
    assert (found["name"], found["answer"], said.json["made_context"]) == ("gpu-idle", "not met", False)


def test_names_of_processes_are_shown_safely(doctor: Doctor) -> None:
    name = b"evil\n\x1b[31m\xff \xe2\x80\xae"
    with subprocess.Popen(
        [b"/bin/sh", b"-c", b"echo; read x", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        doctor.stub.write(device(), process(child.pid))
        text, found = doctor.idle(PYTHONIOENCODING="ascii"), doctor.idle("--json")
        child.kill()
    assert "evil\\n\\x1b[31m\\xff \\u202e: 1024 MiB" in text.out
    assert "evil\n\x1b[31m\\xff \u202e" in found.json["holders"][0]["command"]


def test_it_makes_no_context_for_gpu_idle(doctor: Doctor) -> None:
    assert doctor.idle().code == MET
    assert not (doctor.stub.folder / "contexts").exists()
    assert doctor.examine("--require=nvml-processes").code == MET
    assert (doctor.stub.folder / "contexts").exists()


def test_it_imports_neither_tensorflow_nor_pytest(doctor: Doctor, tmp_path: Path) -> None:
    traps = tmp_path / "traps"
    for name in ("tensorflow", "pytest", "_pytest"):
        (traps / name).mkdir(parents=True)
        (traps / name / "__init__.py").write_text("raise SystemExit('imported')")
    doctor = Doctor(doctor.stub)
    paths = {"PYTHONPATH": str(traps)}
    assert doctor.idle(**paths).code == MET
    assert doctor.examine(**paths).code == MET
    assert doctor.examine("--require=tensorflow", **paths).code in {MET, NOT_MET}


# Ends


def test_an_interrupt_ends_it_without_a_traceback(
    doctor: Doctor, eventually: Callable[[Callable[[], object]], None]
) -> None:
    doctor.stub.write(device(), process(NOBODY))
    before = helpers()
    with doctor.start("--require=gpu-idle", "--wait=100000") as child:
        # Its own: the tests around it may have one, and an interrupted import is another matter.
        eventually(lambda: any(command.endswith(" nvml") for command in helpers(child.pid)))
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "")
    eventually(lambda: helpers() == before)


def test_nobody_who_reads_is_no_error(doctor: Doctor) -> None:
    doctor.stub.write(device(), process(NOBODY))
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", PATIENT, "doctor", "--require=gpu-idle"]
    done = subprocess.run(
        command, env=doctor.environment, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (NOT_MET, "")
    closed = subprocess.run(
        ["bash", "-c", '"$@" >&-', "-", *command], env=doctor.environment, capture_output=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (NOT_MET, b"")


def test_it_works_for_an_ordinary_user(doctor: Doctor, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user: the other tests show it")
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    pythons = [sys.executable, "/usr/bin/python3"]
    python = next((one for one in pythons if can_run([*become, "bash", "-c", '[ -x "$0" ] && "$0" -V', one])), None)
    if python is None:
        pytest.skip("no interpreter that an ordinary user may run")
    for folder in (tmp_path, *tmp_path.parents, doctor.stub.libraries):
        if folder.stat().st_mode & 0o777 == 0o700:
            folder.chmod(0o755)
    places = [str(ROOT), str(Path(pynvml.__file__).parent)]
    said = doctor.run("--require=gpu-idle", python=[*become, python], PYTHONPATH=os.pathsep.join(places))
    assert (said.code, said.err) == (MET, "")
    assert re.search(r"the open files of \d+ process\(es\) of others can't be read: run as root", said.out)


def test_old_bindings_of_the_driver_are_enough(libraries: Path, tmp_path: Path) -> None:
    missing = ("nvmlDeviceGetMPSComputeRunningProcesses_v3", "nvmlDeviceGetMaxMigDeviceCount")
    stub = DriverStub(build(tmp_path / "libraries", missing), tmp_path)
    stub.write(device(total=2 * GIB))
    assert Doctor(stub).idle().code == MET
