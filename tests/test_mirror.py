"""The tests of a module stand where it does: `kernels/cells/calls.py` is tested by `kernels/cells/test_calls.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

import pytest_tfkernel

TESTS = Path(__file__).parent
PACKAGE = Path(pytest_tfkernel.__file__).parent

# What several modules do together, or what isn't a module. A folder stands for all in it.
BEHAVIOURS = {
    "child/test_syntax.py": "all of `_child/` parses on the oldest Python",
    "ci": "scripts and workflows",
    "docs": "what documents say",
    "doctor/test_surroundings.py": "the whole of doctor on machines that are told",
    "gpu": "on a real driver",
    "hosts": "managers of others as a whole, with kernels of theirs",
    "ide": "the real Spyder",
    "integration": "pytest sessions, seen from outside",
    "kernels/provisioners/test_jupyter.py": "kernels that Jupyter manages",
    "kernels/provisioners/test_spyder.py": "kernels that Spyder manages",
    "kernels/test_belonging.py": "whose a process is",
    "kernels/test_interruptions.py": "interrupts at every line",
    "kernels/test_leftovers.py": "what a kernel leaves running",
    "kernels/test_replaced.py": "functions of the standard library that tests replace",
    "kernels/test_talkative_interpreters.py": "interpreters that print",
    "standin": "the stand-in driver",
    "report/page/test_browser.py": "a page in a real browser",
    "report/page/test_pictures.py": "pictures of a page",
    "report/page/test_size.py": "how large a page is",
    "suite/test_facts.py": "judges on facts written by hand",
    "suite/test_gpu_states.py": "what the verdicts are on each state of a machine",
    "suite/test_saboteurs.py": "each judge can fail",
    "suite/test_scenarios_gpu.py": "scenarios by what they are about",
    "suite/test_scenarios_hosts.py": "scenarios by what they are about",
    "suite/test_scenarios_isolation.py": "scenarios by what they are about",
    "suite/test_scenarios_state.py": "scenarios by what they are about",
    "test_mirror.py": "this",
    "test_names.py": "what classes are called",
}


def _is_of_a_module(test: str) -> bool:
    folder, _, name = test.rpartition("/")
    stem = name.removeprefix("test_").removesuffix(".py")
    place = PACKAGE / folder.replace("child", "_child", 1) if folder.startswith("child") else PACKAGE / folder
    return any(path.exists() for path in (place / f"{stem}.py", place / f"__{stem}__.py", place / stem / "__init__.py"))


def _is_of_a_behaviour(test: str) -> bool:
    return any(test == one or test.startswith(f"{one}/") for one in BEHAVIOURS)


@pytest.mark.parametrize("test", sorted(path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")))
def test_each_file_is_of_a_module_or_a_behaviour(test: str) -> None:
    assert _is_of_a_module(test) or _is_of_a_behaviour(test), "move it to where its module is, or add what it is about"


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_each_behaviour_has_tests(behaviour: str) -> None:
    assert (TESTS / behaviour).exists()
