"""What a test has lowered is raised again, as far as it can be."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import resource
from pytest_tfkernel.plugin.isolation.inside import limits
resource.setrlimit(resource.RLIMIT_NOFILE, (90, 100))
before = limits.now()
resource.setrlimit(resource.RLIMIT_NOFILE, {})
resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
limits.restore(before)
print(resource.getrlimit(resource.RLIMIT_NOFILE), limits.now()[resource.RLIMIT_CORE] == before[resource.RLIMIT_CORE])
"""


def after(lowered: str) -> str:
    done = subprocess.run([sys.executable, "-c", CODE.format(lowered)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_soft_limits_are_what_they_were() -> None:
    assert after("(5, 100)") == "(90, 100) True"


def test_a_hard_limit_is_kept_to() -> None:
    assert after("(5, 20)") == "(20, 20) True"
