"""The cells through which faults strike.

They bind one name, which no user has, and work in graphs and sessions of their own: what the kernel
holds stays as it was. What they lower they raise again.
"""

from __future__ import annotations

EXIT = "raise SystemExit(0)"
OS_EXIT = "import os\nos._exit({code})"
INDEX_ERROR = "[1.0, 2.0][2]"

# A GPU looks up nothing outside of the range, and gives 0 without an error: it is the CPU's error, wherever a GPU is.
TF_INDEX_ERROR = """\
def _tfkernel_fault():
    import tensorflow as tf
    with tf.Graph().as_default(), tf.device("/CPU:0"), tf.compat.v1.Session() as session:
        position = tf.compat.v1.placeholder(tf.int32, [1])
        session.run(tf.gather(tf.constant([1.0, 2.0]), position), {position: [7]})
_tfkernel_fault()
"""

# 2**50 floats are 4 PiB. The shape is fed: a known one is tried a second time by constant folding,
# and TensorFlow's allocator waits 10 s for memory in each try (BFCAllocator::AllocateRaw). It is the memory of the
# machine that doesn't do, wherever a GPU is: for that of a GPU there is `oom-gpu`.
OOM_TENSOR = """\
def _tfkernel_fault():
    import tensorflow as tf
    with tf.Graph().as_default(), tf.device("/CPU:0"), tf.compat.v1.Session() as session:
        shape = tf.compat.v1.placeholder(tf.int64, [2])
        session.run(tf.fill(shape, 1.0), {shape: [2**25, 2**25]})
_tfkernel_fault()
"""

# 256 MiB more than it has now, and then 1 GiB in one piece.
OOM_MEMORY_ERROR = """\
def _tfkernel_fault():
    import resource
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20), before[1]))
    try:
        bytearray(1 << 30)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
_tfkernel_fault()
"""

# A mutex of the default kind, locked twice by one thread, is never had. PyDLL keeps the GIL meanwhile.
HANG = """\
def _tfkernel_fault():
    import ctypes
    libc = ctypes.{library}(None)
    mutex = ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)
_tfkernel_fault()
"""

# Through C and back at every level: Python's own limit sees Python's own frames only.
# Python 3.12 and later count the levels in C by themselves and end a recursion long before the usual 8 MiB are
# full. So the stack of the first thread may grow no further, and a few thousand levels are too many for it.
STACK_OVERFLOW = """\
def _tfkernel_fault():
    import resource, sys
    sys.setrecursionlimit(10**8)
    nested = []
    for _ in range(9000):
        nested = [nested]
    resource.setrlimit(resource.RLIMIT_STACK, (4096, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    repr(nested)
_tfkernel_fault()
"""

FD_EXHAUSTION = """\
def _tfkernel_fault():
    import os, resource
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 16, before[1]))
    held = []
    try:
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
_tfkernel_fault()
"""

THREAD_EXHAUSTION = """\
def _tfkernel_fault():
    import threading
    done = threading.Event()
    started = []
    try:
        for _ in range(4096):
            thread = threading.Thread(target=done.wait)
            thread.start()
            started.append(thread)
    finally:
        done.set()
        for thread in started:
            thread.join()
_tfkernel_fault()
"""

# Waits for the signal that is sent when it has said that it is there; gives up after 30 s.
INTERRUPTED = """\
def _tfkernel_fault():
    import time
    _tfkernel_mark("in")
    time.sleep(30)
_tfkernel_fault()
"""
