"""What runs in kernels runs on their oldest Python, whatever we are run with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_tfkernel

CHILD = Path(pytest_tfkernel.__file__).parent / "_child"
# Run under pytest's own Python.
_OURS = ("supervisor.py", "birth.py", "ending.py", "holdings.py", "kin.py", "outbox.py", "removal.py", "nvml.py")
_FOR_KERNELS = sorted(file for file in CHILD.glob("*.py") if file.name not in _OURS)


def _minimum(target: str, files: list[Path]) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("vermin")
    run = "import sys, vermin; sys.exit(vermin.main())"
    command = [sys.executable, "-c", run, f"-t={target}", "--no-tips", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_of_it_needs_no_more_than_python_3_6() -> None:
    found = _minimum("3.6-", _FOR_KERNELS)
    assert found.returncode == 0, found.stdout


def test_the_question_what_an_interpreter_is_can_be_asked_of_python_2_7() -> None:
    found = _minimum("2.7-", [CHILD / "describe.py"])
    assert found.returncode == 0, found.stdout


def test_that_check_can_fail() -> None:
    assert _minimum("3.6-", [CHILD / _OURS[0]]).returncode != 0


@pytest.mark.parametrize("version", ["3.6", "3.7"])
def test_all_of_it_compiles_on_the_oldest(find_python: Callable[[str], str], version: str) -> None:
    code = "import sys\nfor path in sys.argv[1:]:\n    compile(open(path).read(), path, 'exec')"
    subprocess.run([find_python(version), "-c", code, *map(str, _FOR_KERNELS)], check=True)


def test_none_of_it_names_tensorflow_but_to_look_for_its_version() -> None:
    naming = [file.name for file in _FOR_KERNELS if "import tensorflow" in file.read_text(encoding="utf-8")]
    assert naming == []


def test_the_standard_library_is_enough() -> None:
    import ast

    for file in CHILD.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else []
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            known = sys.stdlib_module_names | ({"pynvml"} if file.name == "nvml.py" else set())
            assert {name.partition(".")[0] for name in names} <= known, file.name
