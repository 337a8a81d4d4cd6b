"""Every command of every page is run: here, or by a test or job that `commands.toml` names; and every option exists."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

import shown
from grammar import Grammar
from inner import Inner
from pages import Page, pages
from places import CANNED, SOAKING, Place
from warm import Warm

TABLE = shown.table()
EMPTY = shown.Table(run=[], elsewhere=[], parsed=[], form=[], named=[], others=[])
PLACES = [
    pytest.param(place, marks=[pytest.mark.soak] * (place in SOAKING))
    for place in dict.fromkeys(row.place for row in TABLE.run)
]


@pytest.fixture(scope="module")
def grammar(warm: Warm | None, tmp_path_factory: pytest.TempPathFactory) -> Grammar:
    helping = Inner.make(tmp_path_factory.mktemp("help"), warm=warm)
    return Grammar(helping.run("--help").stdout.str())


@pytest.fixture
def place(request: pytest.FixtureRequest, inner: Inner) -> Place:
    if request.param.endswith(CANNED):
        request.getfixturevalue("tensorflow_python")
    return Place.prepare(request.param, inner)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_commands_of_a_place_run_one_after_the_other(place: Place, request: pytest.FixtureRequest) -> None:
    rows = [row for row in TABLE.run if row.place == request.node.callspec.params["place"]]
    for row in rows:
        for command in row.commands:
            said = place.type(row.typed(command))
            assert said.code == row.code, command
            assert [words for words in row.says if words not in said.text] == [], command
            assert [path for path in row.makes if not list(place.inner.folder.glob(path))] == [], command


def test_every_command_stands_in_the_table_and_is_one_that_its_program_knows(grammar: Grammar) -> None:
    assert [*shown.of_commands(pages(), TABLE, grammar)] == []


def test_every_option_of_a_page_exists_and_every_one_of_ours_stands_on_a_page(grammar: Grammar) -> None:
    assert [*shown.of_options(pages(), TABLE, grammar)] == []


# What a page may have, and what is said of it; the table has no row of its own for it.
WRONG = {
    "pytest --tfkernel --tfkernel-szie=smoke": "pytest has no option --tfkernel-szie",
    "pytest --tfkernel --tfkernel-size=smal": "--tfkernel-size takes full or smoke or standard, and not 'smal'",
    "pytest --tfkernel-gate=wran": "--tfkernel-gate takes fail or off or warn, and not 'wran'",
    "pytest --tfkernel --tfkernel-require=gqu": "--tfkernel-require takes gpu or ",
    "pytest-tfkernel compar ref.json": "invalid choice: 'compar'",
    "python -I -m pytest_tfkernel compare --expected=known.json": "unrecognized arguments: --expected=known.json",
    "pytest-tfkernel upgrade 2.20": "the following arguments are required: CHANGED",
    "pip install 'pytest-tfkernel[htm]'": "there is no extra htm",
    "tox -e ids": "tox.ini has no ids",
    "tox -e mutants -- gates": "tests/mutants.toml has no room gates",
    "tox -e bench -- memories": "benchmarks.run knows no memories",
    "tox -e upgrade -- 2.20 2.21 --sise=smoke": "unrecognized arguments: --sise=smoke",
    "pytest-tfkernel run --memori=2G train.py": "unrecognized arguments: --memori=2G",
    "python docs/make_nothing.py": "there is no file docs/make_nothing.py",
    "python -m benchmarks.run --strictly": "benchmarks.run knows no --strictly",
    "docker pull image": "teach tests/support/grammar.py what docker is told",
    "pytest 'unclosed": "no shell reads it",
}


@pytest.mark.parametrize("command", WRONG)
def test_what_is_wrong_in_a_page_is_told(grammar: Grammar, command: str) -> None:
    page = Page("docs/new.md", f"# New\n\n```sh\n{command}      # does it\n```\n")
    unknown, complaint = shown.of_commands([page], EMPTY, grammar)
    assert unknown.startswith(
        f"docs/new.md:3: {command}: no test shows this command: add it to tests/docs/commands.toml"
    )
    assert WRONG[command] in complaint


@pytest.mark.parametrize(
    "text",
    [
        "```sh\npytest tests/gpu  # why\n```\n",
        "    pytest tests/gpu  # why\n    tox -e lint\n",
        "```\n$ pytest tests/gpu\nno command\n```\n",
        "```yaml\nsteps:\n  - run: pytest tests/gpu\n```\n",
        "| a | b |\n|---|---|\n| `pytest\ttests/gpu` | c |\n",
        "Text, then `pytest\ntests/gpu`.\n",
        "```sh\npytest \\\n    tests/gpu\n```\n",
    ],
)
def test_commands_are_found_wherever_they_stand(text: str) -> None:
    assert "pytest tests/gpu" in [one.text for one in Page("new.md", text).commands()]


@pytest.mark.parametrize(
    "text", ["`pytest`", "```\npytest  tests\n└─ kernel\n```\n", "```python\npytest --x\n```\n", "pytest --x"]
)
def test_what_is_no_command_is_left_alone(text: str) -> None:
    assert Page("new.md", text).commands() == []


def test_a_row_that_no_page_has_is_told_and_one_that_stands_there_twice(grammar: Grammar) -> None:
    page = Page("new.md", "`pytest tests/gpu`\n")
    rows = [
        shown.Parsed(commands=[one], why="none") for one in ("pytest tests/gpu", "pytest tests", "pytest tests/gpu")
    ]
    assert [*shown.of_commands([page], replace(EMPTY, parsed=rows), grammar)] == [
        "commands.toml: 'pytest tests/gpu' stands there 2 times: once is enough",
        "commands.toml: no page has 'pytest tests': write it as the page does, or remove it",
    ]


@pytest.mark.parametrize(
    ("mark", "count"),
    [("", 1), ("<!-- run by tests/none.py: a -->\n", 1), ("<!-- run by tests/test_main.py: a -->\n", 0)],
)
def test_a_script_says_which_test_runs_it(grammar: Grammar, mark: str, count: int) -> None:
    page = Page("new.md", f"# Title\n\n{mark}```sh\n#!/bin/bash\npytest --no-such\n```\n")
    said = [*shown.of_commands([page], EMPTY, grammar)]
    assert [line.partition(": no test runs this script: ")[0] for line in said] == ["new.md:3"] * count


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"test": "tests/ci/test_action.py::TestSuite::test_no_input_is_a_command"}, "says nothing of --lf"),
        (
            {"test": "tests/ci/test_action.py::TestSuite::test_nothing"},
            "there is no tests/ci/test_action.py::TestSuite",
        ),
        ({"test": "tests/ci/test_nothing.py"}, "there is no tests/ci/test_nothing.py"),
        ({"job": "ci.yml: suites"}, "there is no ci.yml: suites"),
        ({"job": "ci.yml: suite"}, "no line of that job has all of: pytest --lf"),
        ({}, "`test` or `job` says where it is run"),
    ],
)
def test_a_test_or_job_that_does_not_run_it_is_told(grammar: Grammar, row: dict[str, Any], said: str) -> None:
    rows = [shown.Elsewhere(commands=["pytest --lf"], **row)]
    (complaint,) = shown.of_commands([Page("new.md", "`pytest --lf`")], replace(EMPTY, elsewhere=rows), grammar)
    assert said in complaint


def test_an_option_that_does_not_exist_is_told_and_one_that_stands_nowhere(grammar: Grammar) -> None:
    others = [shown.Others(options=["--rm"], of="docker run")]
    said = [
        *shown.of_options(
            [Page("docs/compare.md", "`--tfkernel-gates`, `--json`")], replace(EMPTY, others=others), grammar
        )
    ]
    assert said[:2] == [
        "docs/compare.md: there is no option --tfkernel-gates; one of somebody else goes to `others` in commands.toml",
        "commands.toml: no page has --rm: remove it",
    ]
    assert "no page tells of --tfkernel-gate: docs/suite.md is for all of them that have no other page" in said
    assert "docs/compare.md tells nothing of --expect, which pytest-tfkernel compare has" in said
    assert "docs/compare.md tells nothing of --json, which pytest-tfkernel compare has" not in said
