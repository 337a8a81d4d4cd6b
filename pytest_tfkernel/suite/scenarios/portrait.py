"""What one process shows of itself: all that it could have from how it was started."""

from __future__ import annotations

# Runs after `import tensorflow`. What differs between any two processes (numbers of sockets, the
# owner's lease) is left out or made equal; everything else is as it is.
PORTRAIT = r"""
def _tfkernel_portrait():
    import ctypes, faulthandler, gc, locale, logging, os, re, resource, signal, sys, tempfile, threading, time, warnings
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    with open("/proc/self/oom_score_adj") as file:
        oom_score = file.read().strip()
    descriptors = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            link = os.readlink("/proc/self/fd/" + name)
            descriptors[name] = [re.sub(r"\[\d+\]", "", link), os.get_inheritable(int(name))]
        except OSError:
            continue  # that of the listing itself
    limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    parent_death_signal = ctypes.c_int()
    ctypes.CDLL(None).prctl(2, ctypes.byref(parent_death_signal), 0, 0, 0)
    return {
        "sys.path": sys.path,
        "sys.flags": str(sys.flags),
        "sys.argv": sys.argv,
        "sys.executable": [sys.executable, sys.prefix, sys.base_prefix],
        "sys.meta_path": [getattr(finder, "__name__", type(finder).__name__) for finder in sys.meta_path],
        "sys.excepthook": [str(sys.excepthook), str(sys.displayhook)],
        "sys.setswitchinterval": [sys.getswitchinterval(), sys.getrecursionlimit()],
        "modules": sorted(sys.modules),
        "names in __main__": sorted(name for name in vars(sys.modules["__main__"])),
        "hash seed": hash("tensorflow"),
        "environment": {name: text for name, text in os.environ.items() if name != "PYTEST_TFKERNEL_LEASE"},
        "working folder": os.getcwd(),
        "temporary folder": tempfile.gettempdir(),
        "umask": status.get("Umask"),
        "signals": [status[name] for name in ("SigBlk", "SigIgn", "SigCgt")],
        "signal handlers": {str(number): str(signal.getsignal(number)) for number in range(1, signal.NSIG)},
        "locale": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False), list(time.tzname)],
        "encodings": [sys.getfilesystemencoding(), sys.getfilesystemencodeerrors(), sys.getdefaultencoding()],
        "streams": [[one.encoding, one.errors, one.line_buffering] for one in (sys.stdin, sys.stdout, sys.stderr)],
        "rlimits": {name: list(resource.getrlimit(getattr(resource, name))) for name in limits},
        "descriptors": descriptors,
        "session and group": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
        "parent": os.getppid(),
        "parent-death signal": parent_death_signal.value,
        "scheduling": [os.nice(0), os.sched_getscheduler(0), sorted(os.sched_getaffinity(0)), oom_score],
        "rights": [status.get(name) for name in ("Uid", "Gid", "Groups", "CapEff", "NoNewPrivs", "Seccomp")],
        "namespaces": {name: os.readlink("/proc/self/ns/" + name) for name in sorted(os.listdir("/proc/self/ns"))},
        "garbage collector": [gc.isenabled(), list(gc.get_threshold())],
        "frozen objects": getattr(gc, "get_freeze_count", int)() > 0,
        "warnings": [str(one) for one in warnings.filters],
        "logging": [[str(one) for one in logging.root.handlers], logging.root.level],
        "faulthandler": faulthandler.is_enabled(),
        "Python threads": [thread.name for thread in threading.enumerate()],
        "threads": len(os.listdir("/proc/self/task")),
    }
_tfkernel_portrait()
"""

# Why each is not the same in a forked kernel. All else must be.
DIFFERENCES = {
    "imported": "a forked kernel has TensorFlow imported before its first cell; that is what it is for",
    "sys.argv": "names the role in which the process began: `forkserver`, not `kernel`",
    "modules": "a forked kernel has four more of `_tfkernel_child`: `forkserver`, `forking`, `garbage`, `imports`",
    "hash seed": "is that of the fork server, in all its kernels; set PYTHONHASHSEED for one of your own",
    "threads": "those that the import started (of OpenBLAS, say) are not in a fork; they come when they are needed",
    "frozen objects": "what the import made is frozen (`gc.freeze`), so that kernels share its pages",
    "stderr": "what TensorFlow says while it is imported, the fork server has heard; it is in no kernel's stderr",
    "max_rss": "includes the pages that a fork inherits",
    "times": "milliseconds instead of seconds; that is what it is for",
}
