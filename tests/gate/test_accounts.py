"""What is noted in an owner's name."""

from __future__ import annotations

import pytest

from pytest_tfkernel.gate.accounts import Account, Owner
from pytest_tfkernel.model.processes import ProcessId


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        (Owner(), "outside of tests"),
        (Owner("test_one"), "test_one"),
        (Owner(fixture="fixture server", name="server"), "fixture server"),
        (Owner("test_one", "fixture server"), "fixture server"),
    ],
)
def test_an_owner_is_called_by_the_closest_name(owner: Owner, shown: str) -> None:
    assert str(owner) == shown


def test_a_pid_stays_known_when_its_process_is_gone() -> None:
    account = Account(Owner("test_one"), 7)
    account.add(ProcessId(1, 2))
    account.members.discard(ProcessId(1, 2))
    assert (account.members, account.pids) == (set(), {1})


def test_two_accounts_share_nothing() -> None:
    one, two = Account(Owner("test_one"), 7), Account(Owner("test_two"), 8)
    one.add(ProcessId(1, 2))
    assert (one.lease, two.lease, two.members, two.pids) == (7, 8, set(), set())


def test_two_with_the_same_names_are_one_owner() -> None:
    assert {Owner("test_one"), Owner("test_one"), Owner("test_two")} == {Owner("test_one"), Owner("test_two")}
