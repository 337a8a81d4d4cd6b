"""What people do about a death, by its cause: all of it, in one place."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.wishes import shown

# What TensorFlow says of a tensor for which there is no memory.
_TENSOR = re.compile(r"OOM when allocating tensor with shape\[(?P<shape>[^\]]*)\] and type (?P<type>\S+)")
_GPU = re.compile(r"CUDA_ERROR_OUT_OF_MEMORY|RESOURCE_EXHAUSTED|OOM when allocating tensor")
_NATIVE = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGABRT)


@dataclass(frozen=True)
class Advice:
    """For whom it is, what the matter is, and what to do; `{limit}` and the like are filled in by `of`."""

    name: str
    applies: Callable[[Story], bool]
    matter: str
    steps: str


def _died_of(story: Story, *numbers: int) -> bool:
    status = story.post_mortem.exit_status
    return status is not None and status.signal in numbers and story.post_mortem.killer is not Killer.US


def _is_oom(story: Story) -> bool:
    return story.post_mortem.killer is Killer.OOM_KILLER or bool(story.post_mortem.children_oom_killed)


def _said(story: Story) -> str:
    return f"{story.post_mortem.stdout}\n{story.post_mortem.stderr}"


ALL: tuple[Advice, ...] = (
    Advice(
        "oom",
        _is_oom,
        "It held more memory than it may: {peak} of {limit}.",
        """\
Which tensor grew: print `resource.getrusage(resource.RUSAGE_SELF).ru_maxrss` after each step. Where it grows from step
to step, something keeps what each step makes: a list of losses that are tensors (`float(loss)` keeps none), a
`tf.function` that is traced anew for each call, `cache()` or a large `shuffle()` of a dataset.
Where it is high at once: a smaller batch, a `tf.data` pipeline in the place of one array, float32 for float64.
With a lower limit the same fails sooner: `pytest-tfkernel run --memory=SIZE ...`.
""",
    ),
    Advice(
        "gpu-memory",
        lambda story: _GPU.search(_said(story)) is not None,
        "There was no memory left{tensor}.",
        """\
TensorFlow takes all of a GPU's memory unless it is told otherwise before anything else:
`tf.config.experimental.set_memory_growth(gpu, True)`, or TF_FORCE_GPU_ALLOW_GROWTH=true.
Who else holds it: `pytest-tfkernel doctor`. A kernel that isn't shut down keeps what it has.
""",
    ),
    Advice(
        "illegal-instruction",
        lambda story: _died_of(story, signal.SIGILL),
        "It came upon an instruction that this processor doesn't have{place}.",
        """\
A wheel was built for others. `python -X faulthandler -c 'import tensorflow'` shows whether it is TensorFlow's own: its
wheels need AVX (`grep -wo -m1 avx /proc/cpuinfo`). In a virtual machine, pass the CPU of the host on.
Without AVX: a build for this machine (conda-forge has one), or another machine.
""",
    ),
    Advice(
        "native-crash",
        lambda story: _died_of(story, *_NATIVE),
        "Native code crashed{place}.",
        """\
The first frame names the library: look for this crash with its version; try the one before, and the one after.
Two packages that bring the same library (OpenMP, protobuf, CUDA) crash together: import TensorFlow first, or in an
environment of its own.
A fork after TensorFlow has begun to compute crashes or hangs: start processes before, or with `spawn`.
""",
    ),
    Advice(
        "stuck",
        lambda story: story.post_mortem.cause is Cause.DEADLINE,
        "It did not come on{place}{locked}.",
        """\
The stacks are those of all its Python threads. Two of which each waits for a lock that the other one has are a
deadlock: take locks in one order, and none while a Session runs.
A process that was forked while a thread held a lock waits for that one for ever: `multiprocessing` with `spawn`.
If it only takes long: a longer --timeout.
""",
    ),
    Advice(
        "ended-itself",
        lambda story: story.has_died and story.post_mortem.cause is Cause.EXIT,
        "It ended itself, as `os._exit` and the `exit` of C do.",
        """\
`sys.exit()` in a cell does not do that. A library that gives up does (MPI, a CUDA or an OpenMP runtime), and a kernel
that can't go on, since a builtin was replaced: the last lines say what it said.
""",
    ),
    Advice(
        "killed",
        lambda story: (
            story.post_mortem.killer is Killer.UNKNOWN
            and not _is_oom(story)
            and _died_of(story, signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
        ),
        "Something outside ended it, or it did so itself.",
        """\
Who does that: a batch system or a container at its limit of time or memory, systemd-oomd or earlyoom
(`journalctl -u systemd-oomd`), somebody in another terminal.
""",
    ),
)


def of(story: Story) -> list[tuple[str, str]]:
    """What applies to one: the matter in words, and the steps."""
    words = _words(story)
    found = (one for one in ALL if one.applies(story))
    return [(one.matter.format_map(words), one.steps) for one in found]


def _words(story: Story) -> dict[str, str]:
    limit, tensor = story.memory.limit, _TENSOR.search(_said(story))
    locked = sum(one.is_locked for one in story.threads)
    return {
        "peak": shown(story.memory.peak),
        "limit": f"{shown(limit.size)} ({limit.place})" if limit is not None else "what there is",
        "tensor": f" for a tensor of shape [{tensor['shape']}] and type {tensor['type']}" if tensor is not None else "",
        "place": f", in {story.place}" if story.place else "",
        "locked": f"; {locked} of its {len(story.threads)} threads wait for a lock" if locked else "",
    }
