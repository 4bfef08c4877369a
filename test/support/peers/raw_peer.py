"""A tunnel's far end without a WebSocket library: sends arbitrary octets after a correct opening handshake.

usage: raw_peer.py ADDRESS PORT PATH

Each line on standard input has octets in hex, which are sent unchanged. Prints
`open`, `message OPCODE HEX` for each received message, `closed CODE`, `end`.
"""

import socket
import struct
import sys
import threading

address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
connection = socket.create_connection((address, port), timeout=60)
connection.sendall(
    f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
)
stream = connection.makefile("rb")


def say(text):
    print(text, flush=True)


status = stream.readline().decode()
if " 101 " not in status:
    say(f"failed {status}")
    sys.exit(1)
while stream.readline() not in (b"\r\n", b""):
    pass
say("open")


def read_commands():
    for line in sys.stdin:
        try:
            connection.sendall(bytes.fromhex(line))
        except OSError:
            return


threading.Thread(target=read_commands, daemon=True).start()
try:
    while head := stream.read(2):
        opcode, length = head[0] & 15, head[1] & 127
        if length == 126:
            length = struct.unpack("!H", stream.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", stream.read(8))[0]
        payload = stream.read(length)
        if opcode == 8:
            say(f"closed {struct.unpack('!H', payload[:2])[0] if len(payload) >= 2 else 1005}")
        else:
            say(f"message {opcode} {payload.hex()}")
except OSError:
    pass
say("end")
