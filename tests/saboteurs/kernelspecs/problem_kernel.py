"""`python problem_kernel.py PROBLEM CONNECTION_FILE`: a kernel that answers, and does one thing wrong.

It speaks Jupyter's protocol with pyzmq and the Session of jupyter_client, and runs no cell: each is answered as done.
"""

import os
import signal
import sys
import time

PROBLEM, CONNECTION_FILE = sys.argv[1:]


def main() -> None:
    if PROBLEM == "exits":
        print("starting", file=sys.stderr)
        sys.exit("problem_kernel: no licence found")
    if PROBLEM == "prints-garbage":
        os.write(1, bytes(range(256)) * 100)
        os.write(2, b"\xff\xfe no text\n")
        signal.pause()
    if PROBLEM == "dies-again" and os.path.exists(CONNECTION_FILE + ".died"):
        os._exit(5)
    if PROBLEM == "is-deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(CONNECTION_FILE + ".died", "w"):
        serve()


def serve() -> None:
    import zmq
    from jupyter_client.connect import ConnectionFileMixin

    connection = ConnectionFileMixin(connection_file=CONNECTION_FILE)
    connection.load_connection_file()
    context = zmq.Context()
    sockets = {}
    for name, kind in (("shell", zmq.ROUTER), ("control", zmq.ROUTER), ("iopub", zmq.PUB)):
        sockets[name] = context.socket(kind)
        sockets[name].linger = 1000
        sockets[name].bind(connection._make_url(name))
    poller = zmq.Poller()
    for name in ("shell", "control"):
        poller.register(sockets[name], zmq.POLLIN)
    while True:
        for socket, _ in poller.poll():
            answer(connection.session, socket, sockets["iopub"])


def answer(session, socket, iopub) -> None:
    identities, message = session.recv(socket, mode=0)
    kind = message["header"]["msg_type"]
    if PROBLEM == "mute":
        return
    cell = message["content"].get("code", "")
    if PROBLEM == "garbage-on-shell" or (PROBLEM == "garbage-later" and cell == "'nonsense'"):
        socket.send_multipart([*identities, b"<IDS|MSG>", b"no signature", b"no json"])
        return
    if PROBLEM == "garbage-in-json":
        parts = [b"{", b"{}", b"{}", b"{}"]
        socket.send_multipart([*identities, b"<IDS|MSG>", session.sign(parts), *parts])
        return
    if PROBLEM == "no-message":
        parts = [b"[]", b"3", b"{}", b"null"]
        socket.send_multipart([*identities, b"<IDS|MSG>", session.sign(parts), *parts])
        return
    if PROBLEM == "garbage-on-iopub":
        iopub.send_multipart([b"\xff\x00 garbage"])
        return
    if PROBLEM == "answers-no-cell" and cell == "'unheard'":
        return
    if kind == "shutdown_request":
        if PROBLEM == "is-deaf":
            return
        session.send(socket, "shutdown_reply", {"status": "ok", "restart": False}, message, ident=identities)
        time.sleep(0.1)
        sys.exit(0)
    session.send(iopub, "status", {"execution_state": "busy"}, message, ident=b"status")
    session.send(socket, kind.replace("_request", "_reply"), content_for(kind), message, ident=identities)
    session.send(iopub, "status", {"execution_state": "idle"}, message, ident=b"status")


def content_for(kind: str) -> dict:
    if kind == "execute_request":
        if PROBLEM == "no-ipython":
            return {
                "status": "error",
                "ename": "NameError",
                "evalue": "name 'get_ipython' is not defined",
                "traceback": [],
            }
        return {"status": "ok", "execution_count": 1}
    if PROBLEM == "no-content":
        return {"status": "ok"}
    return {
        "status": "ok",
        "protocol_version": {"version-4": "4.1", "version-6": "6.0"}.get(PROBLEM, "5.4"),
        "implementation": "problem",
        "implementation_version": "1",
        "language_info": {"name": "R" if PROBLEM == "speaks-r" else "python", "version": "3.11.7"},
        "banner": "",
        "help_links": [],
    }


main()
