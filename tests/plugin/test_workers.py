"""What crosses pytest-xdist comes back as it was sent."""

from __future__ import annotations

import json
import types
from typing import Any

import pytest

from pytest_tfkernel.gate.findings import Allowance, Finding, Stray, Tally
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Holder, Kind, Resource
from pytest_tfkernel.model.trials import Record, Setting, State, Verdict
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.report import document

RECORDS = [
    Record("tfkernel::one[two]", "one", Setting("a", "b", "c", "d"), Verdict(state, "why", "with"), "dead", 3)
    for state in State
]
LEFT = Resource(Kind.PROCESS, "123", "5", (Holder(ProcessId(123, 5), "sleep", 1.5),), "\udcff")
FINDING = Finding("gw0", 1, "test_a.py::test_one", "", (LEFT,))
TALLY = Tally(
    findings=(FINDING, Finding("gw0", 2, "", "fixture 'x'", FINDING.left, "why")),
    known={"loky's workers": 2},
    strays=(Stray(Resource(Kind.SHARED_MEMORY, "/dev/shm/x"), ("test_a.py::test_one",)),),
    used=frozenset([Allowance("test_a.py", "process", "why")]),
    declared=frozenset([Allowance("test_a.py", "process", "why"), Allowance("test_b.py", "socket", "of old")]),
    blind={"/proc: Permission denied": 3},
    told=("pytest itself holds it",),
)
TRIAL = document.Trial(
    setting=document.Setting(kernel=None, provisioner="a", example="b", fault="c", phase="d"),
    seconds=1.5,
    cold_starts=2,
    facts={"large": 1 << 70, "text": "\udcff"},
)
SENT: list[tuple[Any, Any]] = [
    *((one, Record) for one in RECORDS),
    ((FINDING,), tuple[Finding, ...]),
    (TALLY, Tally),
    (TRIAL, document.Trial),
    ({"2.21": Interpreter("/usr/bin/python3", (3, 11, 7), "2.21.0", {"numpy": "2.0"})}, dict[str, Interpreter]),
    (ProcessId(1 << 40, 1 << 60), ProcessId),
]


def report() -> pytest.TestReport:
    return pytest.TestReport("tfkernel::one[two]", ("tfkernel", None, "one"), {}, "passed", None, "call")


@pytest.mark.parametrize(("sent", "kind"), SENT)
class TestEachComesBack:
    def test_with_a_report(self, sent: object, kind: type) -> None:
        one = report()
        workers.attach(one, "it", sent)
        data = json.loads(json.dumps(one._to_json()))
        assert workers.attached(pytest.TestReport._from_json(data), "it", kind) == sent

    def test_to_a_worker_and_from_one(self, sent: object, kind: type) -> None:
        node: Any = types.SimpleNamespace(workerinput={})
        workers.tell(node, "it", sent)
        worker: Any = types.SimpleNamespace(workerinput=node.workerinput, workeroutput={})
        assert workers.told(worker, "it", kind) == sent
        workers.leave(worker, "it", sent)
        node.workeroutput = worker.workeroutput
        assert workers.left(node, "it", kind) == sent


class TestWhereThereIsNothing:
    def test_on_a_report(self) -> None:
        assert workers.attached(report(), "it", Record) is None
        assert workers.attached(object(), "it", Record) is None

    def test_for_a_session_without_a_controller(self, pytestconfig: pytest.Config) -> None:
        assert workers.told(pytestconfig, "nothing of this name", Record) is None

    def test_of_a_worker_that_crashed(self) -> None:
        node: Any = types.SimpleNamespace()
        assert workers.left(node, "it", Record) is None

    def test_for_whom_a_session_could_leave_it(self) -> None:
        alone: Any = types.SimpleNamespace()
        workers.leave(alone, "it", 1)
        assert vars(alone) == {}


@pytest.mark.parametrize(("given", "name", "count"), [({}, "", 1), ({"workerid": "gw1", "workercount": 3}, "gw1", 3)])
def test_who_a_session_is(given: dict[str, Any], name: str, count: int) -> None:
    config: Any = types.SimpleNamespace(workerinput=given) if given else types.SimpleNamespace()
    assert (workers.is_worker(config), workers.name(config), workers.count(config)) == (bool(given), name, count)
