"""What `pytest-tfkernel run` does: somebody's own script or notebook in a kernel, and why it died; no pytest."""
