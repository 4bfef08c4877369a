"""A relay that sends group frames to all clients, also to the sender, and learns one address a client: the last source.

usage: echoing_relay.py ADDRESS PORT

Prints `listening`, and `client` for each client that has connected.
"""

import argparse
import asyncio

import websockets

arguments = argparse.ArgumentParser()
arguments.add_argument("address")
arguments.add_argument("port", type=int)
options = arguments.parse_args()
client_of = {}


def say(text):
    print(text, flush=True)


async def serve(tunnel, *_):
    say("client")
    address = None
    try:
        async for frame in tunnel:
            if frame[6:12] != address:
                if client_of.get(address) is tunnel:
                    del client_of[address]
                address = frame[6:12]
                client_of[address] = tunnel
            destination = frame[0:6]
            if destination[0] & 1:
                for client in set(client_of.values()):
                    await client.send(frame)
            elif destination in client_of:
                await client_of[destination].send(frame)
    except websockets.ConnectionClosed:
        pass
    finally:
        if client_of.get(address) is tunnel:
            del client_of[address]


async def main():
    async with websockets.serve(serve, options.address, options.port, ping_interval=None, max_size=2**20):
        say("listening")
        await asyncio.Future()


asyncio.run(main())
