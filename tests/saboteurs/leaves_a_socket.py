"""Listens on a Unix socket whose file it never removes."""

import os
import socket

_path = os.path.join(os.environ["SABOTEUR_FOLDER"], f"socket-{os.getpid()}")
_socket = socket.socket(socket.AF_UNIX)
_socket.bind(_path)
_socket.listen(1)
