"""`--tfkernel-allow`: faults that may harm others are played when they are named."""

from __future__ import annotations

from inner import Inner

HARMFUL = "tfkernel::no-cuda-context[forkserver-gpu-is-released-cuda-fault-idle]"


def listed(canned: Inner, *arguments: str) -> str:
    return canned.run("--tfkernel", "--co", "-q", *arguments).stdout.str()


def test_harmful_faults_are_not_there_unless_they_are_named(canned: Inner) -> None:
    assert "cuda-fault" not in listed(canned, "--tfkernel-size=full")
    allowed = listed(canned, "--tfkernel-allow=cuda-fault")
    assert HARMFUL in allowed
    assert "oom-gpu" not in allowed


def test_ini_value_names_them_too(canned: Inner) -> None:
    canned.write("pytest.ini", "[pytest]\ntfkernel_allow =\n    oom-gpu\n    cuda-fault\n")
    both = listed(canned)
    assert HARMFUL in both
    assert "oom-gpu" in both


def test_pasted_id_of_a_harmful_fault_says_what_to_add(canned: Inner) -> None:
    result = canned.run(HARMFUL)
    result.stderr.fnmatch_lines(
        ["ERROR: tfkernel::*: cuda-fault may harm other users of the GPU: add --tfkernel-allow=cuda-fault"]
    )
    assert result.ret == 4
    assert canned.run(HARMFUL, "--tfkernel-allow=cuda-fault").parseoutcomes() == {"unknown": 1}


def test_unknown_fault_is_an_error_with_the_choice(canned: Inner) -> None:
    result = canned.run("--tfkernel", "--tfkernel-allow=sigkill")
    result.stderr.fnmatch_lines(["ERROR: --tfkernel-allow=sigkill: unknown; choose from oom-gpu, cuda-fault"])
    assert result.ret == 4
