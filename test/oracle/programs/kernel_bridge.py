"""Plays batches of operations on TAP devices and rtnetlink(7), for kernel-world.ts.

Each line of standard input is a JSON list of operations, and is answered by a line with the list of their results:

    ["tap", NAME]             makes a TAP device; the result is its interface index
    ["index", NAME]           the interface index of a device
    ["netlink", HEX]          sends a request with NLM_F_ACK or NLM_F_DUMP; the result is [errno, [HEX of each message]]
    ["frame", TAP, HEX]       the far end of TAP (from 0) sends a frame; the result is [ms, [[TAP, HEX], ...]]: the time since
                              the start of the line, and the frames that the far ends have got
    ["heard"]                 the frames that the far ends have got: [[TAP, HEX], ...]
    ["carrier", TAP, 0 or 1]  pulls or plugs in the far end
    ["until", MS]             sleeps until this time since the start of the line
    ["settle", HEX, HEX, CS]  the first request starts the bridge's collection of expired entries, the second one dumps the
                              entries; repeats both until no dynamic entry is older than CS hundredths of a second

A frame that is written to a TAP device has passed the bridge when write(2) returns, since the kernel handles it in the
context of the caller. So nothing has to be waited for.
"""

import fcntl
import json
import os
import socket
import struct
import sys
import time

TUNSETIFF = 0x400454CA
TUNSETCARRIER = 0x400454E2
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
NLM_F_DUMP = 0x300
NLMSG_ERROR = 2
NLMSG_DONE = 3
RTM_NEWNEIGH = 28
NDA_CACHEINFO = 3
NUD_NOARP_OR_PERMANENT = 0xC0
SETTLE_S = 5

route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
route.settimeout(10)
taps = []


def tap(name):
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    taps.append(descriptor)
    return socket.if_nametoindex(name)


def netlink(request):
    is_dump = struct.unpack_from("=H", request, 6)[0] & NLM_F_DUMP == NLM_F_DUMP
    route.send(request)
    messages = []
    while True:
        answer = route.recv(1 << 18)
        at = 0
        while at < len(answer):
            length, kind = struct.unpack_from("=IH", answer, at)
            if kind == NLMSG_ERROR:
                return [-struct.unpack_from("=i", answer, at + 16)[0], messages]
            if kind == NLMSG_DONE:
                return [0, messages]
            messages.append(answer[at : at + length])
            at += (length + 3) & ~3
        if not is_dump and not messages:
            raise RuntimeError("an empty answer")


def heard():
    frames = []
    for number, descriptor in enumerate(taps):
        while True:
            try:
                frames.append([number, os.read(descriptor, 70000).hex()])
            except BlockingIOError:
                break
    return frames


def age_of(message):
    """The age of a dynamic entry in hundredths of a second; -1 for another message."""
    if struct.unpack_from("=H", message, 4)[0] != RTM_NEWNEIGH:
        return -1
    if struct.unpack_from("=H", message, 24)[0] & NUD_NOARP_OR_PERMANENT:
        return -1
    at = 28
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == NDA_CACHEINFO:
            return struct.unpack_from("=4I", message, at + 4)[2]
        at += max(4, (length + 3) & ~3)
    return -1


def settle(collect, dump, limit):
    end = time.monotonic() + SETTLE_S
    while True:
        netlink(collect)
        if all(age_of(message) < limit for message in netlink(dump)[1]):
            return None
        if time.monotonic() > end:
            raise RuntimeError("expired entries stay in the bridge")


def play(operations):
    start = time.monotonic()
    results = []
    for name, *arguments in operations:
        result = None
        if name == "frame":
            at = (time.monotonic() - start) * 1000
            os.write(taps[arguments[0]], bytes.fromhex(arguments[1]))
            result = [at, heard()]
        elif name == "netlink":
            error, messages = netlink(bytes.fromhex(arguments[0]))
            result = [error, [message.hex() for message in messages]]
        elif name == "tap":
            result = tap(*arguments)
        elif name == "heard":
            result = heard()
        elif name == "index":
            result = socket.if_nametoindex(*arguments)
        elif name == "carrier":
            fcntl.ioctl(taps[arguments[0]], TUNSETCARRIER, struct.pack("i", arguments[1]))
        elif name == "until":
            time.sleep(max(0, start + arguments[0] / 1000 - time.monotonic()))
        elif name == "settle":
            settle(bytes.fromhex(arguments[0]), bytes.fromhex(arguments[1]), arguments[2])
        else:
            raise RuntimeError(f"no operation {name}")
        results.append(result)
    return results


for line in sys.stdin:
    print(json.dumps(play(json.loads(line))), flush=True)
