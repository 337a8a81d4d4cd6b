from __future__ import annotations

import pytest

from pytest_tfkernel.doctor.containers import container_of

ID = "0123456789abcdef" * 4
OTHER = "f" * 64


@pytest.mark.parametrize(
    "path",
    [
        f"12:devices:/docker/{ID}",
        f"0::/system.slice/docker-{ID}.scope",
        f"0::/../{ID}",
        f"11:memory:/kubepods/burstable/pod1f7e2c6a-0000-4000-8000-000000000000/{ID}",
        f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1f7e.slice/cri-containerd-{ID}.scope",
        f"0::/kubepods.slice/kubepods-besteffort.slice/crio-{ID}.scope",
        f"0::/machine.slice/libpod-{ID}.scope/container",
        f"0::/docker/{OTHER}/kubepods/pod1f7e/{ID}",
    ],
)
def test_the_id_is_in_the_name_of_a_cgroup(path: str) -> None:
    assert container_of(["1:cpu:/", path]) == ID


@pytest.mark.parametrize("path", ["0::/", "0::/user.slice/session-1.scope", f"0::/{ID}0", f"0::/{ID[1:]}", ""])
def test_outside_of_a_container_there_is_none(path: str) -> None:
    assert container_of([path]) == ""
