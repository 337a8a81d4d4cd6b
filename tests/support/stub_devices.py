"""A plugin for a pytest under test: a GPU is there, though no driver has made a device; see `driver_stub`."""

from __future__ import annotations

import pytest

from pytest_tfkernel.machine.gpus import Gpus

pytest.MonkeyPatch().setattr(Gpus, "are_there", True)
