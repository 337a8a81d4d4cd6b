"""Where an examination looks: devices and processes as a /proc and a /dev of our own show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.doctor.site import Site


@pytest.mark.parametrize(
    ("name", "is_device", "card"),
    [
        ("nvidia0", True, 0),
        ("nvidia12", True, 12),
        ("nvidiactl", True, None),
        ("nvidia-uvm", True, None),
        ("null", False, None),
    ],
)
def test_a_device_stands_for_a_card_or_for_all(tmp_path: Path, name: str, is_device: bool, card: int | None) -> None:
    site, path = Site(devices=tmp_path), f"{tmp_path}/{name}"
    assert (site.is_device(path), site.card(path)) == (is_device, card)


@pytest.mark.parametrize(
    ("namespace", "sees"), [("pid:[4026531836]", True), ("pid:[4026532000]", False), (None, False)]
)
def test_all_processes_are_seen_from_the_first_namespace(tmp_path: Path, namespace: str | None, sees: bool) -> None:
    (tmp_path / "self/ns").mkdir(parents=True)
    if namespace is not None:
        (tmp_path / "self/ns/pid").symlink_to(namespace)
    assert Site(proc=tmp_path).sees_all_processes() is sees


def test_the_driver_says_which_device_is_which_as_far_as_it_does(tmp_path: Path) -> None:
    for name, text in {
        "0": "Model: H100\nGPU UUID: \t GPU-a\nDevice Minor: \t 3\n",
        "1": "GPU UUID: GPU-b\n",
        "2": "GPU UUID: GPU-c\nDevice Minor: x\n",
        "3": "nonsense",
    }.items():
        folder = tmp_path / "driver/nvidia/gpus" / name
        folder.mkdir(parents=True)
        (folder / "information").write_text(text)
    (tmp_path / "driver/nvidia/gpus/4/information").mkdir(parents=True)
    assert Site(proc=tmp_path).minors() == {"GPU-a": 3}
    assert Site(proc=tmp_path / "none").minors() == {}


@pytest.mark.parametrize(("environment", "wanted"), [({}, None), ({"CUDA_VISIBLE_DEVICES": ""}, "")])
def test_what_is_wanted_may_be_nothing(environment: dict[str, str], wanted: str | None) -> None:
    assert Site(environment=environment).wanted == wanted
