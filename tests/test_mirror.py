"""The tests of a module stand where it does, `kernels/cells/test_calls.py` for `kernels/cells/calls.py`; each has some."""

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
    "report/page/test_pictures.py": "a page as its document shows it",
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

# Modules whose tests have another name: where these are, and why no file of their own would say more. A folder stands
# for those in it that have none.
ELSEWHERE = {
    "__main__.py": ("test_main.py", "`python -m`, from outside"),
    "_child/__main__.py": ("processes/test_supervisor.py", "what begins by it has begun"),
    "_child/cuda.py": ("standin/test_stub.py", "needs a driver: on the stand-in, and in gpu/ on a real one"),
    "_child/describe.py": ("kernels/specs/test_interpreters.py", "a script of interpreters of any age"),
    "_child/forkserver.py": ("kernels/provisioners/test_forkserver.py", "a role; asked over its channel"),
    "_child/frames.py": ("processes/test_wire.py", "both ends of a channel are tested together"),
    "_child/host_multiprocess.py": ("kernels/provisioners/test_multiprocess.py", "a role; asked over its channel"),
    "_child/ipython.py": ("hosts/test_cells.py", "lives in a kernel of IPython's"),
    "_child/kernel.py": ("kernels/cells/test_exchange.py", "a role; asked over its channel"),
    "_child/multiprocess_main.py": ("kernels/provisioners/test_multiprocess.py", "what multiprocess starts"),
    "_child/multiprocess_target.py": ("kernels/provisioners/test_multiprocess.py", "what multiprocess starts"),
    "_child/moments.py": ("run/test_faults.py", "at which moment of a script a fault strikes"),
    "_child/script.py": ("run/test_script.py", "a role; a script in a kernel"),
    "_child/sentinel.py": ("audit/test_calibration.py", "a role; asked over its channel"),
    "_child/supervisor.py": ("processes/test_supervisor.py", "a role; asked over its channel"),
    "_child/uncaught.py": ("kernels/cells/test_exchange.py", "how a kernel shows an error"),
    "_child/witness.py": ("hosts/test_provisioner.py", "lives in a kernel of somebody's server"),
    "audit/probes/base.py": ("audit/probes", "a Protocol; each probe is one"),
    "commands.py": ("test_main.py", "`python -m`, from outside"),
    "doctor/examine.py": ("doctor/test_command.py", "asked by its command"),
    "doctor/show.py": ("doctor/test_command.py", "read as its command prints it"),
    "gpu_report/bench.py": ("gpu_report/test_driver.py", "what checks of a card are played on"),
    "gpu_report/command.py": ("integration/test_gpu_report.py", "a command, from outside"),
    "gpu_report/figures.py": ("gpu_report/test_outcomes.py", "a document; judged as a whole"),
    "gpu_report/machine.py": ("gpu_report/test_report.py", "what two reports must have in common"),
    "gpu_report/releases.py": ("gpu_report/test_driver.py", "checks of a card, all in the same way"),
    "gpu_report/sharing.py": ("gpu_report/test_driver.py", "checks of a card, all in the same way"),
    "hosts/__main__.py": ("kernels/generations/test_hosted.py", "what begins by it has begun"),
    "kernels/factory.py": ("typing/api.py", "a Protocol for the annotations of users"),
    "kernels/faults": ("kernels/faults/test_menu.py", "data of the menu: each fault does what it declares"),
    "kernels/generations/host.py": ("kernels/generations/test_hosted.py", "how hosts end, are stopped and can't begin"),
    "kernels/provisioners/base.py": ("kernels/provisioners", "a Protocol; each provisioner has one"),
    "_child/isolation.py": ("plugin/isolation/test_nursery.py", "what begins by it has begun"),
    "plugin/isolation/forks.py": ("plugin/isolation/test_nursery.py", "each of its processes is one of the nursery's"),
    "plugin/isolation/inside/begin.py": ("plugin/isolation/test_nursery.py", "what begins by it has begun"),
    "plugin/isolation/inside/logs.py": ("integration/test_isolation_deaths.py", "what a dead test has logged is told"),
    "plugin/isolation/inside/output.py": (
        "integration/test_isolation_deaths.py",
        "what a dead test has printed is told",
    ),
    "plugin/isolation/inside/server.py": ("integration/test_isolation_bad_tests.py", "asked over its channel"),
    "plugin/isolation/inside/session.py": ("integration/test_isolation_ordinary.py", "a session, from outside"),
    "plugin/isolation/leftovers.py": ("integration/test_isolation_left.py", "told at the end of a session"),
    "plugin/isolation/peers.py": ("integration/test_isolation_killed.py", "processes that somebody ends"),
    "plugin/isolation/running.py": ("integration/test_isolation_deaths.py", "what is told of tests that die"),
    "plugin/documents/environment.py": ("integration/test_option_report.py", "a session, from outside"),
    "plugin/documents/hooks.py": ("integration/test_option_report.py", "hooks; a session, from outside"),
    "plugin/documents/outlets.py": ("integration/test_option_report.py", "hooks; a session, from outside"),
    "plugin/enabling.py": ("integration/test_idle.py", "what a session loads, from outside"),
    "plugin/fixtures.py": ("integration/test_fixtures.py", "fixtures; a session, from outside"),
    "plugin/gate/hooks.py": ("integration/test_gate_leaks.py", "hooks; sessions of test_gate_*.py, from outside"),
    "plugin/hooks.py": ("integration/test_idle.py", "hooks; a session, from outside"),
    "plugin/launching.py": ("integration/test_runners.py", "how long a launcher lives, from outside"),
    "plugin/making.py": ("integration/test_fixtures.py", "what fixtures do; a session, from outside"),
    "plugin/options.py": ("integration/test_option_tfkernel.py", "options; each has a test_option_*.py"),
    "plugin/suite/collection.py": ("integration/test_option_tfkernel.py", "items; a session, from outside"),
    "plugin/suite/defects.py": ("integration/test_option_known.py", "an option; a session, from outside"),
    "plugin/suite/hooks.py": ("integration/test_verdicts.py", "hooks; a session, from outside"),
    "upgrade/answering.py": ("upgrade/test_comparing.py", "the end of an upgrade, asked by its command"),
    "upgrade/asking.py": ("upgrade/test_indexes.py", "questions to pip"),
    "upgrade/errors.py": ("upgrade/test_command.py", "an exception; each is a line of the command"),
    "upgrade/sides.py": ("upgrade/test_comparing.py", "interpreters and environments, asked by the command"),
    "upgrade/wishes.py": ("upgrade/test_command.py", "options; nonsense in them is a line"),
    "report/page/svg.py": ("report/page/test_timelines.py", "what pictures are made of"),
    "report/page/trials.py": ("report/page/test_render.py", "parts of a page, read in the page"),
    "report/page/view.py": ("report/page/test_render.py", "parts of a page, read in the page"),
    "suite/guarantees": ("suite/test_guarantees.py", "judges; on facts written by hand in test_facts.py too"),
    "suite/scenarios": ("suite", "scripts with TensorFlow; played in test_scenarios_*.py and by saboteurs"),
    "processes/postmortems/plain.py": ("run/test_reports.py", "what reports and records hold"),
    "run/cells.py": ("run/test_notebook.py", "cells of a notebook, from outside"),
    "run/command.py": ("integration/test_run.py", "a command, from outside"),
    "run/data.py": ("run/test_reports.py", "what a report holds"),
    "run/heard.py": ("run/test_script.py", "signals, heard while a script runs"),
    "run/notebooks.py": ("run/test_notebook.py", "a notebook and its copy, from outside"),
    "run/refusals.py": ("run/test_wishes.py", "an exception"),
    "run/runs.py": ("integration/test_run.py", "a command, from outside"),
    "run/story.py": ("run/test_show.py", "told in words"),
    "run/watch.py": ("integration/test_run.py", "what is seen of a script while it runs"),
    "trials/stage.py": ("trials/test_trial.py", "what trials are played on"),
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


def _own_test(module: str) -> Path:
    """Where a newcomer looks for the tests of a module."""
    folder, _, name = module.rpartition("/")
    return TESTS / folder.replace("_child", "child", 1) / f"test_{name}"


def _elsewhere(module: str) -> str | None:
    return next((one for one in ELSEWHERE if module == one or module.startswith(f"{one}/")), None)


def _modules() -> list[str]:
    """All but those that only hold a docstring and names of others."""
    found = (path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return sorted(found)


@pytest.mark.parametrize("module", _modules())
def test_each_module_has_a_file_of_its_own_or_a_reason(module: str) -> None:
    if _elsewhere(module) != module:
        assert _own_test(module).exists() or _elsewhere(module), f"write {_own_test(module)}"
    else:
        assert not _own_test(module).exists(), "it has one: take it off the list"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there_and_its_tests_are(module: str) -> None:
    tests, _ = ELSEWHERE[module]
    assert (TESTS / tests).exists()
    without = [one for one in _modules() if _elsewhere(one) == module and not _own_test(one).exists()]
    assert without, "nothing there is without a file of its own: take it off the list"


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_each_behaviour_has_tests(behaviour: str) -> None:
    assert (TESTS / behaviour).exists()
