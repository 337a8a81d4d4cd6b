"""`python death_watch.py`: tells when processes die, from a process of its own.

For each line on stdin, a pid, it opens a pidfd and answers `watching`; when the pidfd reports the
death, it answers with the time of that on CLOCK_MONOTONIC.
"""

import os
import select
import sys
import time


def main() -> None:
    """One death a line, until stdin ends."""
    for line in sys.stdin:
        pidfd = os.pidfd_open(int(line))
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        print("watching", flush=True)
        poll.poll()
        seen = time.monotonic()
        print(repr(seen), flush=True)
        os.close(pidfd)


if __name__ == "__main__":
    main()
