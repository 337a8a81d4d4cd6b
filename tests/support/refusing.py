"""`python refusing.py ERRNO CALL[,CALL...] COMMAND...`: run it where these calls of the system fail with ERRNO (seccomp)."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

# By their number on x86_64.
CALLS = {"prctl": 157, "memfd_create": 319, "pidfd_send_signal": 424, "pidfd_open": 434, "waitid": 247}
MACHINE = "x86_64"

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def refuse(errno: int, names: list[str]) -> None:
    """From now on, for this process and all that it starts."""
    code = [(_LOAD, 0, 0, 0)]  # the number of the call
    code += [(_JUMP_IF_EQUAL, len(names) - index, 0, CALLS[name]) for index, name in enumerate(names)]
    code += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno)]
    buffer = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
    program = _Program(len(code), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0):
        raise OSError(ctypes.get_errno(), "no seccomp filter can be set")


def works() -> bool:
    """Whether the numbers are those of this machine."""
    return platform.machine() == MACHINE


if __name__ == "__main__":
    refuse(int(sys.argv[1]), sys.argv[2].split(","))
    os.execvp(sys.argv[3], sys.argv[3:])
