"""The small parts of the gate: leases, known helpers, neighbours, records, GPU lines."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.gate import known as gate_known, neighbours
from pytest_tfkernel.gate.findings import Allowance, Finding, Left, Tally
from pytest_tfkernel.gate.leases import Leases
from pytest_tfkernel.model.gpus import Calibration, Gpu, GpuProcess, Reading, Sight
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.plugin.gate import gpu as gate_gpu, summary


@pytest.fixture
def leases() -> Iterator[Leases]:
    leases = Leases()
    yield leases
    leases.restore()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


class TestLeases:
    def test_are_inherited_and_restored(self, leases: Leases) -> None:
        before = resource.getrlimit(proc.RLIMIT_LOCKS)
        lease = leases.new()
        leases.wear(lease)
        ask = "import resource; print(resource.getrlimit(10)[0])"
        said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env={})
        assert int(said.stdout) == lease
        leases.restore()
        assert resource.getrlimit(proc.RLIMIT_LOCKS) == before

    def test_are_all_different(self, leases: Leases) -> None:
        assert len({leases.new() for _ in range(100)} | {Leases().new() for _ in range(100)}) == 200

    def test_are_worn_by_those_that_follow(self, leases: Leases, sleeper: subprocess.Popen[bytes]) -> None:
        start_time = proc.start_time(sleeper.pid)
        assert start_time is not None
        leases.follow(ProcessId(sleeper.pid, start_time))
        leases.wear(lease := leases.new())
        assert proc.lease_of(sleeper.pid) == lease
        assert leases.follows(sleeper.pid)

    def test_of_another_process_with_the_same_pid_are_left_alone(
        self, leases: Leases, sleeper: subprocess.Popen[bytes]
    ) -> None:
        before = proc.lease_of(sleeper.pid)
        leases.follow(ProcessId(sleeper.pid, 1))
        leases.wear(leases.new())
        assert proc.lease_of(sleeper.pid) == before
        assert not leases.has_followers


class TestKnown:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (Kind.PROCESS, "python -c from multiprocessing.resource_tracker import main;main(5)"),
            (Kind.PROCESS, "python -c from multiprocessing.forkserver import main; main(5, 6, [], **{})"),
            (Kind.PROCESS, "python -m joblib.externals.loky.backend.popen_loky_posix --process-name LokyProcess-1"),
            (Kind.FILE, "/tmp/__autograph_generated_file8x.py"),
            (Kind.FILE, "/tmp/pymp-abcd_123"),
        ],
    )
    def test_helper_is_found(self, kind: Kind, name: str) -> None:
        assert gate_known.find(gate_known.KNOWN, kind, name) is not None

    @pytest.mark.parametrize(
        ("kind", "name"), [(Kind.PROCESS, "sleep 60"), (Kind.FILE, "/tmp/tmpabcdefgh"), (Kind.SOCKET, "tcp 0.0.0.0:80")]
    )
    def test_anything_else_is_not(self, kind: Kind, name: str) -> None:
        assert gate_known.find(gate_known.KNOWN, kind, name) is None


class TestNeighbours:
    def test_another_session_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = {100: "python -m pytest tests", 1: "init", os.getpid(): "python -m pytest"}
        parents = {100: 1, 1: 0, os.getpid(): 1}
        self._pretend(monkeypatch, lines, parents)
        assert neighbours.are_there()

    @pytest.mark.parametrize("line", ["python -m pytest-of", "vim test_pytest.py", "sleep 60", ""])
    def test_another_program_is_none(self, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
        self._pretend(monkeypatch, {100: line, os.getpid(): "pytest"}, {100: 1, os.getpid(): 1})
        assert not neighbours.are_there()

    def test_those_above_and_below_are_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = {10: "/venv/bin/pytest", 11: "bash", os.getpid(): "pytest", 1000000: "pytest -k one"}
        self._pretend(monkeypatch, lines, {10: 1, 11: 10, os.getpid(): 11, 1000000: os.getpid()})
        assert not neighbours.are_there()

    @pytest.mark.parametrize("parent", [10, 11, 12], ids=["worker", "its child", "child of the test above"])
    def test_what_runs_beside_us_below_a_pytest_is_one(self, monkeypatch: pytest.MonkeyPatch, parent: int) -> None:
        lines = {10: "pytest -n 2", 11: "python -c worker", 12: "python -c worker", os.getpid(): "pytest", 13: "cat"}
        self._pretend(monkeypatch, lines, {10: 1, 11: 10, 12: 10, os.getpid(): 12, 13: parent})
        assert neighbours.are_there()

    @staticmethod
    def _pretend(monkeypatch: pytest.MonkeyPatch, lines: dict[int, str], parents: dict[int, int]) -> None:
        monkeypatch.setattr(proc, "pids", lambda: list(lines))
        monkeypatch.setattr(proc, "command_line", lambda pid: lines[pid])
        monkeypatch.setattr(proc, "find_stat", lambda pid: types.SimpleNamespace(parent=parents[pid]))


LEFT = Left("process", "123", "process 123 (sleep 60, 1.0 s old)")
TALLY = Tally(
    findings=(
        Finding("gw0", 1, "test_a.py::test_one", "", (LEFT,)),
        Finding("gw0", 2, "", "fixture 'x'", (LEFT,), "why"),
    ),
    known={"loky's workers": 2},
    strays={"shared-memory /dev/shm/x": ("test_a.py::test_one",)},
    used=frozenset([Allowance("test_a.py", "process", "why")]),
    declared=frozenset([Allowance("test_a.py", "process", "why"), Allowance("test_b.py", "socket", "of old")]),
    blind={"/proc: Permission denied": 3},
    told=("pytest itself holds it",),
)


class TestTallies:
    def test_merged_findings_are_told_once_and_counts_add_up(self) -> None:
        both = TALLY.merged(TALLY)
        assert both.findings == TALLY.findings
        assert both.known == {"loky's workers": 4}
        assert both.blind == {"/proc: Permission denied": 6}
        assert both.strays == TALLY.strays
        assert both.unused == [Allowance("test_b.py", "socket", "of old")]

    def test_marker_that_was_used_on_another_worker_is_used(self) -> None:
        one = Allowance("test_a.py", "process", "why")
        assert Tally(declared=frozenset([one])).merged(Tally(used=frozenset([one]))).unused == []

    def test_stray_that_another_worker_knows_of_is_told_once(self) -> None:
        left = Left("system-v-segment", "shmid 5", "system-v-segment shmid 5 (4096 bytes)")
        tally = Tally(
            findings=(Finding("gw0", 1, "test_a.py::test_one", "", (left,)),),
            strays={
                "system-v-segment shmid 5 (4096 bytes)": ("test_b.py::test_two",),
                "semaphore /dev/shm/sem.a": ("b",),
            },
        )
        assert [line for line in summary.summary(tally) if "at the time" in line] == [
            "  semaphore /dev/shm/sem.a; at the time ran b"
        ]

    def test_summary_of_nothing_is_empty(self) -> None:
        assert list(summary.summary(Tally())) == []


class TestGpuLines:
    def test_name_the_amount_that_pytest_holds(self) -> None:
        gpu = Gpu("GPU-1", "H100", 80 << 30, 1 << 30, (GpuProcess(77, 3 << 30), GpuProcess(os.getpid(), 700 << 20)))
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {os.getpid()})
        assert line == (
            f"pytest itself (process {os.getpid()}) has /dev/nvidia0 open until it ends;"
            " it holds 700 MiB of memory on H100 (GPU-1)"
        )

    @pytest.mark.parametrize("memory", [None, 0])
    def test_say_where_the_driver_knows_no_amount(self, memory: int | None) -> None:
        gpu = Gpu("GPU-1", "H100", None, None, (GpuProcess(5, memory),))
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {5})
        assert "an unknown amount" in line

    @pytest.mark.parametrize("sight", [sight for sight in Sight if sight is not Sight.FULL])
    def test_say_why_nothing_can_be_seen(self, sight: Sight) -> None:
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(sight, "do this"), Reading(), {5})
        assert line.endswith(f"can't be seen: {sight.value}: do this")

    def test_say_so_where_the_process_is_not_listed(self) -> None:
        gpu = Gpu("GPU-1", "H100", None, None, None)
        (line,) = gate_gpu.tell({"/dev/nvidia0"}, Calibration(Sight.FULL), Reading((gpu,)), {5})
        assert line.endswith("open until it ends, and no memory")


def test_helpers_that_are_known_stand_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs/gate.md").read_text(encoding="utf-8")
    rows = [f"| `{one.kind.value}` | `{one.pattern}` | {one.what} |" for one in gate_known.KNOWN]
    assert [row for row in rows if row not in text] == []


def test_kinds_stand_in_the_document() -> None:
    text = (Path(__file__).parents[3] / "docs/gate.md").read_text(encoding="utf-8")
    never = {Kind.HANDLE, Kind.CONTEXT, Kind.GPU_MEMORY}
    assert [kind.value for kind in Kind if f"| `{kind.value}` |" not in text and kind not in never] == []
