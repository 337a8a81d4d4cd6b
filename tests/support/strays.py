"""What a kernel starts and nobody can tell to be its own, but by who else lived then, or by its cgroup."""

# Starts a process that leaves its parent, session and group, and wears another number in an empty environment.
STRAY = """
import os, resource
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        resource.setrlimit(10, (7, resource.getrlimit(10)[1]))
        os.setsid()
        os.set_inheritable(writer, True)
        os.execve("/bin/sh", ["sh", "-c", "echo $$ >&%d; exec sleep 63" % writer], {})
    os._exit(0)
os.wait()
os.close(writer)
with os.fdopen(reader) as file:
    stray = int(file.readline())
stray
"""
