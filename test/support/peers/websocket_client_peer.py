"""A tunnel's far end by websocket-client (Debian: python3-websocket).

usage: websocket_client_peer.py URL [--user U:P] [--cafile FILE] [--host MAC ADDRESS] [--quiet]

Each line on standard input is a frame in hex to send, or `close`. Prints `open`,
`frame HEX` for each received frame (unless quiet), `closed CODE`, `failed REASON`.
"""

import argparse
import base64
import ssl
import struct
import sys
import threading

import websocket
from ethernet_host import EthernetHost

arguments = argparse.ArgumentParser()
arguments.add_argument("url")
arguments.add_argument("--user")
arguments.add_argument("--cafile")
arguments.add_argument("--host", nargs=2)
arguments.add_argument("--quiet", action="store_true")
options = arguments.parse_args()


def say(text):
    print(text, flush=True)


headers = []
if options.user:
    headers.append("Authorization: Basic " + base64.b64encode(options.user.encode()).decode())
tls = {"ca_certs": options.cafile, "cert_reqs": ssl.CERT_REQUIRED} if options.cafile else {}
try:
    tunnel = websocket.create_connection(options.url, header=headers, sslopt=tls, timeout=60)
except Exception as error:
    say(f"failed {error}")
    sys.exit(1)
host = EthernetHost(*options.host) if options.host else None
say("open")


def read_commands():
    for line in sys.stdin:
        if line.strip() == "close":
            tunnel.send_close(1000)
        else:
            tunnel.send_binary(bytes.fromhex(line))


threading.Thread(target=read_commands, daemon=True).start()
while True:
    try:
        opcode, data = tunnel.recv_data(control_frame=False)
    except (websocket.WebSocketConnectionClosedException, ConnectionError, ssl.SSLError):
        say("closed 1006")
        break
    if opcode == websocket.ABNF.OPCODE_CLOSE:
        say(f"closed {struct.unpack('!H', data[:2])[0] if len(data) >= 2 else 1005}")
        break
    if opcode != websocket.ABNF.OPCODE_BINARY:
        say(f"unexpected opcode {opcode}")
        continue
    if not options.quiet:
        say(f"frame {data.hex()}")
    answer = host.answer(data) if host else None
    if answer:
        tunnel.send_binary(answer)
