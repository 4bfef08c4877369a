"""A station that broadcasts numbered frames, and tells what it has heard.

numbered_frames.py DEVICE ID PERIOD_MS

Each frame has the EtherType 0x88b5, the ID of its sender (1 octet) and a number (4 octets). Every 100 ms a line of JSON
is printed: {"sent": N, "heard": {"ID": [last number, frames]}, "twice": [["ID", number], ...]}. It ends with its input.
"""

import json
import select
import socket
import struct
import sys
import time

ETHERTYPE = 0x88B5
REPORT_S = 0.1
RECEIVE_OCTETS = 8 << 20
SO_RCVBUFFORCE = 33
MOST_TWICE = 1000


def main():
    device, own, period = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) / 1000
    # With a protocol it would hear all devices until it is bound.
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # A station that sleeps must not lose what came to it: it would not see that a frame came twice.
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)
    try:
        link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
    except OSError:
        pass  # not root of the machine: the size above is what the system allows
    link.bind((device, ETHERTYPE))
    source = bytes([2, 0, 0, 0, 1, own])
    sent, heard, numbers, twice = 0, {}, {}, []
    next_frame = next_report = time.monotonic()
    while True:
        wait = max(0, min(next_frame, next_report) - time.monotonic())
        readable, _, _ = select.select([link, sys.stdin], [], [], wait)
        if sys.stdin in readable:
            return
        if link in readable:
            octets, where = link.recvfrom(2048)
            if where[2] != socket.PACKET_OUTGOING:
                sender, number = octets[14], struct.unpack_from('>I', octets, 15)[0]
                known = numbers.setdefault(sender, set())
                if number in known and len(twice) < MOST_TWICE:
                    twice.append([str(sender), number])
                known.add(number)
                last, frames = heard.get(str(sender), [0, 0])
                heard[str(sender)] = [max(last, number), frames + 1]
        now = time.monotonic()
        if now >= next_frame:
            sent += 1
            frame = b'\xff' * 6 + source + struct.pack('>HBI', ETHERTYPE, own, sent) + bytes(41)
            try:
                link.send(frame)
            except OSError:
                pass  # the link is down: the test has cut it
            next_frame = now + period
        if now >= next_report:
            print(json.dumps({'sent': sent, 'heard': heard, 'twice': twice}), flush=True)
            next_report = now + REPORT_S


main()
