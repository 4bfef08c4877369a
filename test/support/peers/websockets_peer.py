"""A tunnel's far end by websockets (Debian: python3-websockets), as client or as server.

usage: websockets_peer.py client URL [--user U:P] [--cafile FILE] [--host MAC ADDRESS]
       websockets_peer.py server ADDRESS PORT [--user U:P] [--key FILE --cert FILE] [--host MAC ADDRESS]

Each line on standard input is a frame in hex to send, or `close`. Prints
`listening`, `open`, `frame HEX` for each received frame, `closed CODE`, `failed REASON`.
"""

import argparse
import asyncio
import ssl
import sys

import websockets
from ethernet_host import EthernetHost

arguments = argparse.ArgumentParser()
arguments.add_argument("role", choices=["client", "server"])
arguments.add_argument("where", nargs="+")
arguments.add_argument("--user")
arguments.add_argument("--cafile")
arguments.add_argument("--key")
arguments.add_argument("--cert")
arguments.add_argument("--host", nargs=2)
options = arguments.parse_args()
host = EthernetHost(*options.host) if options.host else None


def say(text):
    print(text, flush=True)


async def read_commands(tunnel):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        if line == "close":
            await tunnel.close(1000)
        else:
            await tunnel.send(bytes.fromhex(line))


async def serve(tunnel, *_):
    say("open")
    commands = asyncio.create_task(read_commands(tunnel))
    try:
        async for message in tunnel:
            if isinstance(message, str):
                say(f"unexpected text {message}")
                continue
            say(f"frame {message.hex()}")
            answer = host.answer(message) if host else None
            if answer:
                await tunnel.send(answer)
    except websockets.ConnectionClosed:
        pass
    say(f"closed {tunnel.close_code}")
    commands.cancel()


async def as_client(url):
    headers = {}
    if options.user:
        import base64

        headers["Authorization"] = "Basic " + base64.b64encode(options.user.encode()).decode()
    tls = ssl.create_default_context(cafile=options.cafile) if options.cafile else None
    try:
        tunnel = await websockets.connect(url, extra_headers=headers, ssl=tls, max_size=2**20)
    except Exception as error:
        say(f"failed {error}")
        sys.exit(1)
    await serve(tunnel)


async def as_server(address, port):
    tls = None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
    protocol = websockets.WebSocketServerProtocol
    if options.user:
        protocol = websockets.basic_auth_protocol_factory(realm="peer", credentials=tuple(options.user.split(":", 1)))
    async with websockets.serve(serve, address, int(port), ssl=tls, create_protocol=protocol, max_size=2**20):
        say("listening")
        await asyncio.Future()


asyncio.run(as_client(*options.where) if options.role == "client" else as_server(*options.where))
