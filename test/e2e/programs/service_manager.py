"""Takes the part of a service manager for a process that it starts.

notify NAME                      receives datagrams at a Unix socket, `@` at the beginning: an abstract name; prints each
                                 as JSON with the time of CLOCK_MONOTONIC in microseconds
pass NAMES KIND=WHERE... -- CMD  runs a command with listening sockets from descriptor 3 on, named NAMES (LISTEN_FDNAMES);
                                 KIND: tcp (of an address; prints the port), unix, datagram, connected, file, none
"""
import json
import os
import socket
import sys
import time


def notify(name):
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind("\0" + name[1:] if name.startswith("@") else name)
    print("listening", flush=True)
    while True:
        text = receiver.recv(4096).decode()
        print(json.dumps({"usec": time.monotonic_ns() // 1000, "text": text}), flush=True)


def opened(kind, where):
    if kind == "none":
        return None
    if kind == "file":
        return os.open(where, os.O_RDONLY)
    if kind == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("\0" + where[1:] if where.startswith("@") else where)
    else:
        listener = socket.socket(type=socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
        listener.bind((where or "127.0.0.1", 0))
    if kind != "datagram":
        listener.listen(16)
    if kind == "tcp":
        print("port", listener.getsockname()[1], flush=True)
    if kind == "connected":
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
        client.detach()
        return accepted.detach()
    return listener.detach()


def pass_on(names, *words):
    end = words.index("--")
    descriptors = [opened(*word.split("=", 1)) for word in words[:end]]
    # First moves the sockets to high descriptors, so that dup2 does not overwrite one.
    moved = [None if fd is None else os.dup2(fd, 100 + at) for at, fd in enumerate(descriptors)]
    for at, fd in enumerate(moved):
        if fd is None:
            try:
                os.close(3 + at)
            except OSError:
                pass
        else:
            os.dup2(fd, 3 + at, inheritable=True)
            os.close(fd)
    pid = os.environ.get("PASS_PID", str(os.getpid()))
    os.environ.update(LISTEN_PID=pid, LISTEN_FDS=str(len(descriptors)), LISTEN_FDNAMES=names)
    command = words[end + 1:]
    os.execvp(command[0], command)


{"notify": notify, "pass": pass_on}[sys.argv[1]](*sys.argv[2:])
