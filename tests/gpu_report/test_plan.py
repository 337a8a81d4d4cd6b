from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_tfkernel.gpu_report.plan import DOCTOR, DRIVER, NAMES, Wishes, parts
from pytest_tfkernel.suite.settings import HARMFUL

FOLDER, DOCUMENT = Path("/empty"), Path("/report/x.json")


def commands(wishes: Wishes) -> dict[str, list[str]]:
    return {part.name: list(part.command(DOCUMENT)) for part in parts(wishes, FOLDER)}


def test_the_suite_comes_first_and_then_what_may_harm_and_then_what_needs_no_tensorflow() -> None:
    assert [part.name for part in parts(Wishes("python"), FOLDER)] == list(NAMES)
    assert NAMES == ("smoke", "standard", "oom-gpu", "cuda-fault", "driver", "doctor")


def test_the_suite_must_have_a_gpu_and_hears_nothing_of_what_lies_around() -> None:
    found = commands(Wishes("/other/python", workers=3))
    for name in ("smoke", "standard", *HARMFUL):
        words = found[name]
        assert words[0] == sys.executable
        assert words[words.index("-m") + 1] == "pytest"
        assert words[words.index("-c") + 1] == os.devnull
        assert words[words.index("-n") + 1] == "3"
        wanted = {"--tfkernel", "--tfkernel-require=gpu", "--noconftest", f"--tfkernel-report={DOCUMENT}"}
        assert wanted | {"--tfkernel-python=/other/python"} <= set(words)
    assert "--tfkernel-size=smoke" in found["smoke"]
    assert "-n" not in commands(Wishes("python"))["smoke"]


def test_what_may_harm_is_refused_unless_it_is_allowed() -> None:
    refused = {part.name: part.refused for part in parts(Wishes("python", allow=("cuda-fault",)), FOLDER)}
    assert [name for name, why in refused.items() if why] == ["oom-gpu"]
    assert refused["oom-gpu"] == "it may harm other users of the GPU: add --allow=oom-gpu"
    assert commands(Wishes("python", allow=("cuda-fault",)))[DRIVER][-1] == "cuda-fault"
    assert commands(Wishes("python"))[DRIVER][-1] == str(DOCUMENT)


@pytest.mark.parametrize("name", NAMES)
def test_tensorflow_is_needed_for_the_suite_only(name: str) -> None:
    assert Wishes("python", parts=(name,)).need_tensorflow is (name not in {DRIVER, DOCTOR})
    assert [part.name for part in parts(Wishes("python", parts=(name,)), FOLDER)] == [name]
