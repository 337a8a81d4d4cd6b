"""What is said by cause: each kind applies where it should, and nowhere else."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.run import advice
from pytest_tfkernel.run.threads import Task
from stories import STACK, dead, story

SELF, UNKNOWN = Killer.SELF, Killer.UNKNOWN
TENSOR = "OOM when allocating tensor with shape[8,9] and type float on /job:localhost/device:GPU:0 by allocator GPU_0"
DEATHS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "oom": ({"cause": Cause.OOM_KILL, "killer": Killer.OOM_KILLER, "signal": 9}, ["oom"]),
    "a child": ({"cause": Cause.EXIT, "killer": SELF, "code": 1, "children_oom_killed": 1}, ["oom"]),
    "gpu": ({"cause": Cause.EXIT, "killer": SELF, "code": 1, "stderr": TENSOR}, ["gpu-memory"]),
    "abort of a gpu": (
        {"cause": Cause.SIGNAL, "killer": SELF, "signal": 6, "stderr": "CUDA_ERROR_OUT_OF_MEMORY"},
        ["gpu-memory", "native-crash"],
    ),
    "sigill": ({"cause": Cause.SIGNAL, "killer": SELF, "signal": signal.SIGILL}, ["illegal-instruction"]),
    **{
        one.name: ({"cause": Cause.SIGNAL, "killer": SELF, "signal": one}, ["native-crash"])
        for one in (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGABRT)
    },
    "stuck": ({"cause": Cause.DEADLINE, "killer": Killer.US, "signal": 9}, ["stuck"]),
    **{
        f"{one.name} from elsewhere": ({"cause": Cause.SIGNAL, "killer": UNKNOWN, "signal": one}, ["killed"])
        for one in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
    },
    "of a notebook": ({"cause": Cause.EXIT, "killer": SELF, "code": 0, "cell": 2}, ["ended-itself"]),
    "our own fault": ({"cause": Cause.SIGNAL, "killer": Killer.US, "signal": signal.SIGSEGV}, []),
    "an error": ({"cause": Cause.EXIT, "killer": SELF, "code": 1}, []),
}


@pytest.mark.parametrize(("death", "names"), DEATHS.values(), ids=DEATHS)
def test_by_cause(death: dict[str, Any], names: list[str]) -> None:
    found = story(dead(**{name: one for name, one in death.items() if name != "cell"}), cell=death.get("cell"))
    assert [one.name for one in advice.ALL if one.applies(found)] == names
    assert len(advice.of(found)) == len(names)


def test_every_kind_applies_to_something() -> None:
    assert {name for _, names in DEATHS.values() for name in names} == {one.name for one in advice.ALL}


def test_it_names_limit_tensor_place_and_locks() -> None:
    def matters(**death: Any) -> str:
        threads = (Task(1, "python", "waits", "futex_do_wait"), Task(2, "python", "runs", ""))
        return " ".join(matter for matter, _ in advice.of(story(dead(**death), threads=threads)))

    assert "64 MiB of 64 MiB (a cgroup of its own)" in matters(**DEATHS["oom"][0])
    assert "a tensor of shape [8,9] and type float" in matters(**DEATHS["gpu"][0])
    assert matters(**DEATHS["SIGSEGV"][0], stack=STACK) == "Native code crashed, in /home/train.py:7 in step."
    deep = STACK.replace(
        '  File "/home', '  File "/usr/lib/python3.11/ctypes/__init__.py", line 5 in call\n  File "/home'
    )
    place = "in /usr/lib/python3.11/ctypes/__init__.py:5 in call, called by /home/train.py:7 in step."
    assert matters(**DEATHS["SIGSEGV"][0], stack=deep).endswith(place)
    assert matters(**DEATHS["SIGSEGV"][0], stack="nonsense") == "Native code crashed."
    assert "1 of its 2 threads wait for a lock" in matters(**DEATHS["stuck"][0])
