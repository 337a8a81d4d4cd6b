"""How pytest-xdist hands out the suite: the items of a setting stay together, so each kill happens once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadScopeScheduling

from pytest_tfkernel.plugin.options import ID_PREFIX

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer

# Modes that hand tests out in an order of their own; `each` and `no` do not.
MODES = ("load", "worksteal", "loadgroup", "loadscope", "loadfile")


class SettingScheduling(LoadScopeScheduling):
    """Scopes are settings for our items, and what the chosen mode would take for all others."""

    def __init__(self, config: pytest.Config, log: Producer, mode: str) -> None:
        super().__init__(config, log)
        self._mode = mode

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ID_PREFIX):
            return nodeid[nodeid.index("[") :]
        if self._mode == "loadscope":
            return super()._split_scope(nodeid)
        if self._mode == "loadfile":
            return nodeid.split("::", 1)[0]
        if self._mode == "loadgroup" and "@" in nodeid:
            return nodeid.rsplit("@", 1)[1]
        return nodeid
