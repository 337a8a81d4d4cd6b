"""What is known of GPUs."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.gpus import Calibration, Sight, is_stand_in


@pytest.mark.parametrize(("names", "found"), [((), False), (("H100",), False), (("H100", "A Stand-In card"), True)])
def test_a_stand_in_says_so_in_a_name(names: tuple[str, ...], found: bool) -> None:
    assert is_stand_in(*names) is found


@pytest.mark.parametrize("sight", Sight)
def test_only_full_sight_sees_processes(sight: Sight) -> None:
    assert Calibration(sight).sees_processes is (sight is Sight.FULL)
