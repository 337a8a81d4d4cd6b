"""Which releases are tried."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from packaging.version import Version

from pytest_tfkernel.upgrade import requirements
from pytest_tfkernel.upgrade.bisect.candidates import between
from pytest_tfkernel.upgrade.errors import UpgradeError
from pytest_tfkernel.upgrade.indexes import Offer, PackageIndex

OFFERS = {
    "tensorflow-cpu": Offer(
        tuple(map(Version, ("2.17.1", "2.18.0", "2.18.1", "2.19.0rc0", "2.20.0", "2.21.0"))),
        {Version("2.17.2"): ("3.9",), Version("2.18.2"): ("3.9", "3.12"), Version("2.22.0"): ("3.14",)},
    ),
    "tf-nightly-cpu": Offer(tuple(map(Version, ("2.20.0.dev20250101", "2.21.0.dev20260101", "2.22.0.dev20260905")))),
    "keras": Offer((Version("3.4.0"), Version("3.5.0"))),
}


class Offers(PackageIndex):
    def __init__(self, offers: Mapping[str, Offer]) -> None:
        super().__init__(())
        self._offers = offers

    def offer(self, package: str, *, unreleased: bool = False) -> Offer:
        assert unreleased == (package == "tf-nightly-cpu")
        return self._offers.get(package, Offer())


INDEX = Offers(OFFERS)


def tried(ref: str, changed: str, package: str = "tensorflow-cpu", *, nightlies: bool = False) -> list[str]:
    found = between(INDEX, requirements.read(ref, package), requirements.read(changed, package), nightlies=nightlies)
    return [one.requirement for one in found.candidates]


def test_all_releases_between_both_ends_are(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [f"tensorflow-cpu=={one}" for one in ("2.17.1", "2.18.0", "2.18.1", "2.20.0", "2.21.0")]
    assert tried("2.17.1", "2.21.0") == expected
    # Of a series the newest, as it would be installed; backwards too.
    assert tried("2.18", "2.21") == expected[2:]
    assert tried("2.21", "2.18") == expected[:1:-1]
    assert tried("2.19.0rc0", "2.20")[0] == "tensorflow-cpu==2.19.0rc0"
    assert tried("3.4", "3.5", "keras") == ["keras==3.4.0", "keras==3.5.0"]


def test_builds_of_each_night_are_where_they_are_asked_for() -> None:
    expected = ["tensorflow-cpu==2.20.0", "tf-nightly-cpu==2.21.0.dev20260101", "tensorflow-cpu==2.21.0"]
    assert tried("2.20.0", "2.21.0", nightlies=True) == expected
    last = "tf-nightly-cpu==2.22.0.dev20260905"
    assert tried("2.21.0", "2.22.0.dev20260905") == ["tensorflow-cpu==2.21.0", last]
    assert tried("2.20", "tf-nightly-cpu", nightlies=True) == [*expected, last]


def test_extras_stay() -> None:
    offers = Offers({"tensorflow": OFFERS["tensorflow-cpu"]})
    sides = [requirements.read(f"tensorflow[and-cuda]=={one}") for one in ("2.20.0", "2.21.0")]
    found = between(offers, *sides)
    assert [one.requirement for one in found.candidates] == [
        "tensorflow[and-cuda]==2.20.0",
        "tensorflow[and-cuda]==2.21.0",
    ]


def test_what_has_no_wheel_here_is_named() -> None:
    found = between(INDEX, requirements.read("2.18.0"), requirements.read("2.21.0"))
    assert found.absent == {"2.18.2": ("3.9", "3.12")}


@pytest.mark.parametrize(
    ("ref", "changed", "said"),
    [
        ("2.18", "2.30", "2.30: no index has tensorflow-cpu==2.30.* for this Python, but 2.17.1, 2.18.0"),
        ("2.18", "2.22", "; for 3.14 there is: name one of those with --python"),
        ("2.18", "2.18.1", "2.18 and 2.18.1 are both 2.18.1: there is nothing between them"),
        ("2.18", "keras==3.5.0", "2.18 and keras==3.5.0 are of two packages"),
        ("nothing==1.0", "nothing==2.0", "nothing==1.0: no index has nothing==1.0 for this Python, but nothing else"),
        ("2.18", "/bin/sh", "/bin/sh is an interpreter: a bisection is between two releases"),
        ("2.18", "x @ file:///x.whl", "x @ file:///x.whl is a file: a bisection is between two releases"),
    ],
)
def test_ends_that_are_none_are_a_line(ref: str, changed: str, said: str) -> None:
    with pytest.raises(UpgradeError) as refused:
        tried(ref, changed)
    assert said in str(refused.value)
