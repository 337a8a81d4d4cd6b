"""A CUDA context without a framework: the driver API (libcuda.so.1) through ctypes.

Imports nothing of its neighbours, so that its text can travel as a cell too. Functions and error codes are
those of NVIDIA's CUDA Driver API reference.
"""

import ctypes
import uuid
from typing import Any, Dict, List

# Any GPU since Maxwell; newer ones compile it at load time. `spin` waits for a number that nobody writes.
_PTX = b"""\
.version 6.0
.target sm_50
.address_size 64
.visible .entry spin(.param .u64 word)
{
    .reg .u64 %address;
    .reg .u32 %value;
    .reg .pred %waiting;
    ld.param.u64 %address, [word];
    cvta.to.global.u64 %address, %address;
LOOP:
    ld.volatile.global.u32 %value, [%address];
    setp.ne.u32 %waiting, %value, 1979911405;
    @%waiting bra LOOP;
    ret;
}
.visible .entry store_to_null()
{
    .reg .u64 %address;
    .reg .u32 %value;
    mov.u64 %address, 0;
    mov.u32 %value, 1;
    st.global.u32 [%address], %value;
    ret;
}
"""


# CUresult: no device can be seen, not even one that could fail.
NO_DEVICE = 100


class CudaError(Exception):
    """A driver function failed; `code` is its CUresult."""

    def __init__(self, function: str, code: int, name: str) -> None:
        super().__init__("%s: %s (%d)" % (function, name, code))
        self.code = code


class Driver:
    """The loaded and initialised library. Raises OSError where there is none, CudaError where it fails."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libcuda.so.1")
        self.call("cuInit", 0)

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function; its return code is never ignored."""
        code = getattr(self._library, function)(*arguments)
        if code != 0:
            name = ctypes.c_char_p()
            self._library.cuGetErrorName(code, ctypes.byref(name))
            raise CudaError(function, code, (name.value or b"unknown error").decode("ascii", "replace"))

    def devices(self) -> List[Dict[str, Any]]:
        """`uuid` and `name` of those that CUDA_VISIBLE_DEVICES lets this process see, by ordinal."""
        count = ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        return [self._describe(ordinal) for ordinal in range(count.value)]

    def _describe(self, ordinal: int) -> Dict[str, Any]:
        device = ctypes.c_int()
        self.call("cuDeviceGet", ctypes.byref(device), ordinal)
        identity = (ctypes.c_ubyte * 16)()
        self.call("cuDeviceGetUuid_v2", ctypes.byref(identity), device)
        name = ctypes.create_string_buffer(128)
        self.call("cuDeviceGetName", name, len(name), device)
        return {"uuid": str(uuid.UUID(bytes=bytes(identity))), "name": name.value.decode("utf-8", "replace")}


class Context:
    """The primary context of one device, current in this thread."""

    def __init__(self, driver: Driver, ordinal: int = 0) -> None:
        self._driver = driver
        self._device = ctypes.c_int()
        driver.call("cuDeviceGet", ctypes.byref(self._device), ordinal)
        context = ctypes.c_void_p()
        driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self._device)
        driver.call("cuCtxSetCurrent", context)

    def memory(self) -> Dict[str, int]:
        """`free` and `total` bytes of the device."""
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._driver.call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return {"free": free.value, "total": total.value}

    def allocate(self, size: int) -> int:
        """The device pointer of `size` new bytes."""
        pointer = ctypes.c_uint64()
        self._driver.call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer.value

    def store(self, pointer: int, number: float) -> None:
        """Write a float64 to the device."""
        word = ctypes.c_double(number)
        self._driver.call("cuMemcpyHtoD_v2", ctypes.c_uint64(pointer), ctypes.byref(word), ctypes.c_size_t(8))

    def load(self, pointer: int) -> float:
        """Read a float64 from the device."""
        word = ctypes.c_double()
        self._driver.call("cuMemcpyDtoH_v2", ctypes.byref(word), ctypes.c_uint64(pointer), ctypes.c_size_t(8))
        return word.value

    def spin(self) -> None:
        """Launch a kernel that never ends; returns at once."""
        word = ctypes.c_uint64(self.allocate(4))
        arguments = (ctypes.c_void_p * 1)(ctypes.cast(ctypes.byref(word), ctypes.c_void_p))
        self._launch(b"spin", arguments)

    def store_to_null(self) -> None:
        """Write through a null pointer on the device: raises CudaError 700, and so does all that follows."""
        self._launch(b"store_to_null", None)
        self.synchronize()

    def synchronize(self) -> None:
        """Wait for what was launched."""
        self._driver.call("cuCtxSynchronize")

    def close(self) -> None:
        """Release the primary context."""
        self._driver.call("cuDevicePrimaryCtxRelease_v2", self._device)

    def _launch(self, name: bytes, arguments: Any) -> None:
        module, function = ctypes.c_void_p(), ctypes.c_void_p()
        self._driver.call("cuModuleLoadData", ctypes.byref(module), _PTX)
        self._driver.call("cuModuleGetFunction", ctypes.byref(function), module, name)
        self._driver.call("cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, arguments, None)
