"""How pytest-xdist is told what belongs together."""

from __future__ import annotations

from unittest import mock

import pytest

pytest.importorskip("xdist")
from pytest_tfkernel.plugin.suite.schedule import MODES, SettingScheduling

OURS = "tfkernel::starts-blank[forkserver-graph_add-sigkill-idle]"
THEIRS = "sub/test_mine.py::TestOne::test_one[a::b]"


@pytest.fixture
def scope(pytestconfig: pytest.Config) -> mock.Mock:
    def split(mode: str, nodeid: str) -> str:
        with mock.patch("xdist.scheduler.loadscope.parse_tx_spec_config", return_value=["popen"]):
            return SettingScheduling(pytestconfig, mock.Mock(), mode)._split_scope(nodeid)

    return mock.Mock(side_effect=split)


@pytest.mark.parametrize("mode", MODES)
def test_ours_go_by_setting(scope: mock.Mock, mode: str) -> None:
    assert scope(mode, OURS) == "[forkserver-graph_add-sigkill-idle]"
    assert scope(mode, OURS) == scope(mode, OURS.replace("starts-blank", "graph-add"))
    assert scope(mode, OURS) != scope(mode, OURS.replace("sigkill", "sigterm"))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("load", THEIRS),
        ("worksteal", THEIRS),
        ("loadgroup", THEIRS),
        ("loadfile", "sub/test_mine.py"),
    ],
)
def test_theirs_go_as_the_mode_says(scope: mock.Mock, mode: str, expected: str) -> None:
    assert scope(mode, THEIRS) == expected


def test_theirs_go_by_class_or_module(scope: mock.Mock) -> None:
    assert scope("loadscope", "sub/test_mine.py::TestOne::test_one") == "sub/test_mine.py::TestOne"
    assert scope("loadscope", "sub/test_mine.py::test_one") == "sub/test_mine.py"


def test_theirs_go_by_group(scope: mock.Mock) -> None:
    assert scope("loadgroup", f"{THEIRS}@mine") == "mine"
