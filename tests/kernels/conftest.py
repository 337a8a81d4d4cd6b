"""What the tests of channels share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import frames
from pytest_tfkernel.processes.wire import Channel


@pytest.fixture
def ends() -> Iterator[tuple[Channel, frames.Port]]:
    """Both ends of a channel: ours, and that of a child."""
    ours, theirs = Channel.pair()
    port = frames.Port(theirs)
    yield ours, port
    ours.close()
    port.close()
