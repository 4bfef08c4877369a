"""A switch as simple as etherws 1.x was: one select loop over a TAP device and a tunnel by websocket-client.

usage: select_loop_peer.py client URL DEVICE ADDRESS/LENGTH
       select_loop_peer.py server LISTEN_ADDRESS PORT DEVICE ADDRESS/LENGTH

The library answers a ping inside recv() and then waits there for a data message: until one comes, frames of the TAP
device are not read. Prints `listening` as a server, `open`, `pinged` for each ping, `closed`.
"""

import base64
import fcntl
import hashlib
import os
import select
import socket
import struct
import subprocess
import sys

import websocket

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000


def say(text):
    print(text, flush=True)


class Tunnel(websocket.WebSocket):
    """The library's WebSocket, which also prints each ping."""

    is_masking = True

    def pong(self, payload=""):
        super().pong(payload)
        say("pinged")

    def send_frame(self, frame):
        if not self.is_masking:
            frame.mask = 0
        return super().send_frame(frame)


def dial(url):
    tunnel = Tunnel()
    tunnel.connect(url)
    return tunnel


def accept(address, port):
    """The library has no server: this makes the opening handshake, and passes the socket to the library."""
    listener = socket.create_server((address, int(port)))
    say("listening")
    connection, _ = listener.accept()
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(4096)
    fields = dict(line.split(": ", 1) for line in request.decode().split("\r\n")[1:] if line)
    key = {name.lower(): value for name, value in fields.items()}["sec-websocket-key"]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    tunnel = Tunnel()
    tunnel.is_masking = False
    tunnel.sock = connection
    tunnel.connected = True
    return tunnel


def open_tap(name, address):
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.check_call(["ip", "address", "add", address, "dev", name])
    subprocess.check_call(["ip", "link", "set", name, "up"])
    return device


role, *where, device_name, device_address = sys.argv[1:]
tap = open_tap(device_name, device_address)
tunnel = dial(*where) if role == "client" else accept(*where)
say("open")
try:
    while True:
        for ready in select.select([tap, tunnel.sock], [], [])[0]:
            if ready is tap:
                tunnel.send_binary(os.read(tap, 65535))
            else:
                os.write(tap, tunnel.recv())
except (websocket.WebSocketException, OSError):
    say("closed")
