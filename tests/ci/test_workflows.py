"""What no linter asks of our workflows and of our action."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GITHUB = Path(__file__).parents[2] / ".github"
ACTION = GITHUB / "actions/tfkernel/action.yml"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, ACTION]
ids = [path.name for path in FILES]


def jobs(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n)+)", read(path).partition("\njobs:\n")[2], re.MULTILINE))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def expressions(path: Path) -> list[str]:
    return [line for line in read(path).splitlines() if "${{" in line]


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_no_expression_is_part_of_a_command(path: Path) -> None:
    # As the value of a key it is data; in a line of `run`, what it stands for would be read by the shell.
    as_value = re.compile(r"\s*(- )?(?!run:|- run:)[\w-]+: [^#]*\$\{\{")
    assert [line for line in expressions(path) if not as_value.match(line)] == []


def test_a_command_with_an_expression_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text("steps:\n  - run: echo ${{ inputs.a }}\n  - run: |\n      echo ${{ inputs.a }}\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        test_no_expression_is_part_of_a_command(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_permitted_but_to_read(path: Path) -> None:
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", read(path), re.MULTILINE) == ["  contents: read\n"]
    # The one job that proposes new constraints installs nothing, and so runs nobody's code but ours.
    proposes = read(path).partition("\n  propose:\n")[2]
    assert read(path).count("permissions:") == (2 if proposes else 1)
    assert "permissions:" in proposes or not proposes
    assert "pip" not in proposes


def test_only_constraints_are_proposed() -> None:
    assert [path.name for path in WORKFLOWS if "write" in read(path).partition("\njobs:\n")[2]] == ["constraints.yml"]


def test_the_newest_of_everything_may_fail() -> None:
    found = jobs(GITHUB / "workflows/ci.yml")
    assert "    continue-on-error: true\n" in found["newest"]
    assert "constraints.txt" not in found["newest"]
    needs = re.findall(r"\w+", found["required"].partition("needs: ")[2].partition("\n")[0])
    assert set(needs) == set(found) - {"newest", "required"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_all_others_install_what_the_tests_have_passed_with(path: Path) -> None:
    lines = [line.strip() for name, job in jobs(path).items() if name != "newest" for line in job.splitlines()]
    installs = [line for line in lines if "pip install" in line]
    # What reads the versions must be there before they are known.
    assert [line for line in installs if "constraints.txt" not in line] == (
        ["- run: python3.11 -m pip install packaging"] if path.name == "constraints.yml" else []
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_checkout_leaves_no_token_behind(path: Path) -> None:
    assert read(path).count("actions/checkout@") == read(path).count("persist-credentials: false")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_deadline(path: Path) -> None:
    assert read(path).count("runs-on:") == read(path).count("timeout-minutes:")


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_actions_are_those_of_github_or_ours(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", read(path))
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@v\d+|\./\.github/actions/\w+", name)] == []


def test_one_action_has_one_version_everywhere() -> None:
    used = {name for path in FILES for name in re.findall(r"uses: (actions/\S+)", read(path))}
    assert len(used) == len({name.partition("@")[0] for name in used}), used


def test_a_gpu_of_ours_is_not_for_pull_requests() -> None:
    assert "self-hosted" in read(GITHUB / "workflows/gpu.yml")
    assert "pull_request" not in read(GITHUB / "workflows/gpu.yml")
    assert [path.name for path in WORKFLOWS if "self-hosted" in read(path)] == ["gpu.yml"]


def test_every_input_of_the_action_is_used_and_documented() -> None:
    head, _, steps = read(ACTION).partition("\nruns:\n")
    inputs = re.findall(r"^  (\w+):$", head.partition("\noutputs:\n")[0], re.MULTILINE)
    assert len(inputs) == 8
    document = read(GITHUB.parent / "docs/github.md")
    for name in inputs:
        assert f"inputs.{name} " in steps
        assert f"| `{name}` |" in document
    assert set(re.findall(r"inputs\.(\w+)", steps)) == set(inputs)


def test_every_repetition_runs_once_a_week() -> None:
    weekly = GITHUB / "workflows/constraints.yml"
    assert re.search(r'^    - cron: "\d+ \d+ \* \* \d"$', read(weekly), re.MULTILINE)
    assert "tox run -e soak\n" in jobs(weekly)["soak"]
    assert "tox run -e neighbours,neighbours-pytestoldest\n" in jobs(weekly)["soak"]
    # And costs no proposal.
    assert "    needs: renew\n" in jobs(weekly)["propose"]
