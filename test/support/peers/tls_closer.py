#!/usr/bin/env python3
"""A WebSocket peer over TLS that ends its tunnel by close_notify alone, and waits for the switch's (RFC 8446, 6.1).

    tls_closer.py client VERSION CAFILE PORT       dials a switch
    tls_closer.py server VERSION CERT KEY          prints `port N`, and accepts one tunnel

It prints `answered` when the switch's close_notify has come, else `not answered: WHY`.
"""
import base64
import hashlib
import socket
import ssl
import sys

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
REQUEST = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def read_head(connection):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return head.decode()


def context_for(side, version):
    context = ssl.SSLContext(side)
    context.minimum_version = context.maximum_version = VERSIONS[version]
    return context


def dial(version, cafile, port):
    context = context_for(ssl.PROTOCOL_TLS_CLIENT, version)
    context.load_verify_locations(cafile)
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname="127.0.0.1")
    connection.sendall(REQUEST.encode())
    assert " 101 " in read_head(connection)
    # An empty pong: when the switch has read it, it has taken the connection over.
    connection.sendall(b"\x8a\x80\0\0\0\0")
    return connection


def accept(version, cert, key):
    context = context_for(ssl.PROTOCOL_TLS_SERVER, version)
    context.load_cert_chain(cert, key)
    listener = socket.create_server(("127.0.0.1", 0))
    print("port", listener.getsockname()[1], flush=True)
    connection = context.wrap_socket(listener.accept()[0], server_side=True)
    fields = dict(line.split(": ", 1) for line in read_head(connection).split("\r\n")[1:] if line)
    key = {name.lower(): value for name, value in fields.items()}["sec-websocket-key"]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    return connection


def main():
    role, version, *rest = sys.argv[1:]
    connection = {"client": dial, "server": accept}[role](version, *rest)
    print("open", flush=True)
    sys.stdin.readline()
    connection.settimeout(10)
    try:
        connection.unwrap()
        print("answered", flush=True)
    except (OSError, ssl.SSLError) as error:
        print("not answered:", repr(error), flush=True)


main()
