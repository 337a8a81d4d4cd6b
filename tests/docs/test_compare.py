"""The sample of docs/compare.md is what its commands print of two runs as they would write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pages import pages
from pytest_tfkernel import __main__ as program
from pytest_tfkernel.report import document as parts
from pytest_tfkernel.report.store import encode

(PAGE,) = [page for page in pages() if page.name == "docs/compare.md"]
BROKEN = ("tests/test_io.py::test_read", "tests/test_io.py::test_write", "tests/test_model.py::test_save[gz]")
# What is another thing with the newer TensorFlow: the fields of these tests, trials and deaths, before and after.
OF_TESTS: tuple[dict[str, Any], ...] = (
    {"outcome": "passed"},
    {
        "outcome": "failed",
        "error_type": "AttributeError",
        "error_message": "module 'tensorflow' has no attribute 'foo'",
    },
)
OF_ERRORS = (("ResourceExhaustedError", "OOM when allocating tensor"), ("InternalError", "out of memory"))
OF_DEATHS = ("SIGSEGV", "SIGABRT")
IN_EACH_OF = [(made, example) for made in ("forkserver", "subprocess") for example in ("graph_add", "variable_assign")]


def run(name: str, tensorflow: str, numpy: str, number: int) -> parts.Document:
    """The document of one environment, in which `pytest --tfkernel tests/ --tfkernel-report=NAME` ran."""
    kernel, beside = documents.kernel(tensorflow), documents.beside(tensorflow)
    found = documents.document(tensorflow=tensorflow, tests=809)
    killed: dict[str, Any] = {
        "cause": "signal",
        "killer": "the kernel itself",
        "uptime": 0.2,
        "cpu": 0.1,
        "peak_memory": 1 << 20,
    }
    death = parts.Death(signal=OF_DEATHS[number], report="", **killed)
    error_type, error_message = OF_ERRORS[number]
    trials = [
        parts.Trial(setting=_setting(kernel, "forkserver", "graph_add", "stack-overflow"), seconds=0.4, death=death),
        *(
            parts.Trial(
                setting=_setting(kernel, *one, "oom-tensor"), seconds=10.4, error_type=error_type, error_message=error_message
            )
            for one in IN_EACH_OF
        ),
    ]  # fmt: skip
    environment = msgspec.structs.replace(
        found.environment,
        kernels=[msgspec.structs.replace(kernel, packages={"numpy": numpy})],
        pytest=msgspec.structs.replace(beside, packages={"numpy": numpy}),
        options=["--tfkernel", "tests/", f"--tfkernel-report={name}"],
    )
    return msgspec.structs.replace(
        found,
        environment=environment,
        trials=[*found.trials, *trials],
        verdicts=[*found.verdicts, *(documents.verdict(one.setting) for one in trials)],
        tests=[*found.tests, *(parts.Test(item=item, seconds=0.1, **OF_TESTS[number]) for item in BROKEN)],
    )


def _setting(kernel: parts.Kernel, provisioner: str, example: str, fault: str) -> parts.Setting:
    return parts.Setting(kernel=kernel.label, provisioner=provisioner, example=example, fault=fault, phase="idle")


def test_the_sample_is_what_its_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ref, changed, compare = (one.text for one in PAGE.commands()[1:4])
    assert all("pytest --tfkernel tests/ --tfkernel-report=" in one for one in (ref, changed))
    monkeypatch.chdir(tmp_path)
    for number, (command, tensorflow, numpy) in enumerate([(ref, "2.20.0", "1.26.4"), (changed, "2.21.0", "2.1.0")]):
        name = command.rpartition("=")[2]
        (tmp_path / name).write_bytes(encode(run(name, tensorflow, numpy, number)))
    assert program.main(compare.split()[1:]) == 1
    (sample,) = (one for one in PAGE.samples() if " -> " in one.partition("\n")[0])
    assert capsys.readouterr().out == sample
