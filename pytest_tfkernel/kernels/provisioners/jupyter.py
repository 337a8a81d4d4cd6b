"""Real kernels of Jupyter: ipykernel under the manager and the restarter of jupyter_client."""

from __future__ import annotations

from pytest_tfkernel.kernels.provisioners.base import Hosting

JUPYTER = Hosting("jupyter", "ipykernel", ("-m", "ipykernel_launcher", "-f", "{connection_file}"))
