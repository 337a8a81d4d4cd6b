"""Real kernels of Spyder: `spyder_kernels.console`, started as Spyder starts its consoles."""

from __future__ import annotations

from pytest_tfkernel.kernels.provisioners.base import Hosting

SPYDER = Hosting("spyder", "spyder_kernels", ("-m", "spyder_kernels.console", "-f", "{connection_file}"))
