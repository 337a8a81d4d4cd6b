from __future__ import annotations

import pytest

from pytest_tfkernel.report.compare.alike import same_text, same_value
from pytest_tfkernel.report.document import LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("process 57 lives", "process 312 lives"),
        ("pid=57", "pid=9"),
        ("held by 12345 (sleep 60)", "held by 54321 (sleep 60)"),
        ("<Graph object at 0x7f2de752e710>", "<Graph object at 0x7f8809440>"),
        ("in /tmp/tfkernel-abc_1/x.lock.", "in /tmp/tfkernel-xyz/y"),
        ("open('/dev/shm/psm_1a2b')", "open('/dev/shm/sem.mp-z')"),
        ("/proc/12/maps", "/proc/9999/maps"),
        (
            'File "/opt/tf2.20/lib/python3.11/site-packages/tensorflow/client.py", line 12',
            'File "/opt/tf2.21/lib/python3.12/site-packages/tensorflow/client.py", line 1399',
        ),
        ("it took 0.31 s", "it took 12 s"),
        ("after 5ms", "after 7.25ms"),
        ("limit of 32 MiB", "limit of 48.5 MiB"),
        ("at 99% of it", "at 7% of it"),
        ("2026-01-01 10:00:00.123456: E tensorflow", "2027-12-31T23:59:59Z: E tensorflow"),
        ("port 8888", "port 40123"),
        ("id 6ba7b810-9dad-11d1-80b4-00c04fd430c8", "id 00000000-9dad-11d1-80b4-00c04fd430c9"),
        ("commit 1a2b3c4", "commit 99aa88bb77"),
        ("two\n  lines", "two lines"),
        (
            'File "/opt/python3.11/lib/python3.11/site-packages/pytest_tfkernel/_child/kernel.py", line 1',
            'File "/home/me/checkout/pytest_tfkernel/_child/kernel.py", line 2',
        ),
        (
            "in /opt/lib/python3.11/site-packages/tox/lib/python3.12/site-packages/tf/a.py",
            "in /usr/lib/python3/dist-packages/tf/a.py",
        ),
        ("in /tmp/tox/lib/python3.11/site-packages/tf/a.py", "in /usr/lib/python3/dist-packages/tf/a.py"),
    ],
)
def test_what_differs_in_every_run_is_no_difference(one: str, other: str) -> None:
    assert same_text(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("read 1.0", "read 2.0"),
        ("exit code 3", "exit code 1"),
        ("[Errno 24] Too many", "[Errno 12] Too many"),
        ("KeyError: 'a'", "KeyError: 'b'"),
        ("killed by SIGKILL", "killed by SIGTERM"),
        ("rank 2", "rank 3"),
        ("defaced", "effaced"),
        ("process lives", "thread lives"),
        ("site-packages/a.py", "site-packages/b.py"),
        ("", "anything"),
        ("1 left", "1"),
    ],
)
def test_what_means_something_is_a_difference(one: str, other: str) -> None:
    assert not same_text(one, other)


def trace(folder: str, *errors: str) -> str:
    frames = [
        f'File "{folder}/lib/python3.11/site-packages/tensorflow/a{"b" * n}.py", line {n}, in run' for n in range(60)
    ]
    return "\n".join([*frames[:3], *errors, *frames])[:LONGEST_MESSAGE]


def test_of_cut_messages_is_compared_what_both_have() -> None:
    short, long = "/opt/a", "/home/somebody/environments/another"
    assert len(trace(short)) == len(trace(long)) == LONGEST_MESSAGE
    assert same_text(trace(short), trace(long))
    assert not same_text(trace(short, "lost"), trace(long, "found"))
    assert not same_text(trace(short), trace(short)[:-500])
    assert not same_text("a" * LONGEST_MESSAGE, "b" * LONGEST_MESSAGE)


@pytest.mark.parametrize(
    "piece", ["/", "a", "1", "1.", "0x", "1:", "f1", "a/", "/tmp", "pid ", "-1", "e1", "\n", "1 s"]
)
def test_a_long_message_is_read_once(piece: str) -> None:
    # Were it read from each of its places on, this would not come to an end.
    assert not same_text(piece * (200_000 // len(piece)), "x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5.0, 5.0),
        (5, 5.0),
        (5.0, 5.0000001),
        ([1.0, 2.0], [1.0, 2.0]),
        ({"a": [None]}, {"a": [None]}),
        ("nan", "nan"),
        (10**400, 10**400),
        ("pid 3", "pid 4"),
    ],
)
def test_equal_results(one: object, other: object) -> None:
    assert same_value(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5.0, 6.0),
        (1234.5, 1235.5),
        (1, True),
        (0.0, None),
        ("5.0", 5.0),
        ([1.0], [1.0, 2.0]),
        ([1.0], {"a": 1.0}),
        ({"a": 1}, {"b": 1}),
        (10**400, 1.0),
        ("nan", 5.0),
    ],
)
def test_other_results(one: object, other: object) -> None:
    assert not same_value(one, other)
