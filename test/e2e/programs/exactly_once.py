"""A station that sends numbered frames, and counts each that it hears: the oracle of frames that come exactly once.

exactly_once.py DEVICE ID INCARNATION PERIOD_MS PEERS

Each PERIOD_MS it sends one number by several frames: one to all stations, one to a multicast group, and one to each station
of PEERS (ids joined by commas). A frame has the EtherType 0x88b5, its sender's id, its kind, the id that it is for, the
sender's incarnation (1 octet each), the number (4 octets), and when it was sent (8 octets, ns of CLOCK_MONOTONIC, which all
namespaces share). A station that moves starts again with the next incarnation, so that its numbers are new.

Commands on standard input, one a line: `report` prints a line of JSON; `stop` and `go` end sending and begin it again.
The report: {"sent": N, "heard": {"ID/KIND/INCARNATION": [[first number, last number, sent ms, sent ms], ...]},
"twice": [["ID/KIND", number], ...], "strays": {"ID": frames for another station that came here}}
"""

import json
import select
import socket
import struct
import sys
import time

ETHERTYPE = 0x88B5
MOST_TWICE = 1000
BROADCAST, GROUP, UNICAST = 0, 1, 2
KINDS = ('broadcast', 'multicast', 'unicast')
RECEIVE_OCTETS = 8 << 20
SO_RCVBUFFORCE = 33


def address(station):
    return bytes([2, 0, 0, 0, 1, station])


def open_link(device):
    # With a protocol it would hear all devices until it is bound: a frame that comes to two of them came twice.
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # A station that sleeps must not lose what a switch has delivered.
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)
    try:
        link.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
    except OSError:
        pass  # not root of the machine: the size above is what the system allows
    link.bind((device, ETHERTYPE))
    return link


class Station:
    def __init__(self, device, own, incarnation, peers):
        self.link, self.own, self.incarnation = open_link(device), own, incarnation
        group = bytes([0x03, 0, 0, 0, 1, 1])
        self.targets = [(b'\xff' * 6, BROADCAST, 0), (group, GROUP, 0)]
        self.targets += [(address(peer), UNICAST, peer) for peer in peers]
        self.sent, self.heard, self.twice, self.strays = 0, {}, [], {}

    def send(self):
        self.sent += 1
        now = time.monotonic_ns()
        for destination, kind, to in self.targets:
            head = struct.pack('>HBBBBIQ', ETHERTYPE, self.own, kind, to, self.incarnation, self.sent, now)
            try:
                self.link.send(destination + address(self.own) + head + bytes(30))
            except OSError:
                pass  # the link is down: the test has cut it

    def receive(self):
        octets, where = self.link.recvfrom(2048)
        if where[2] == socket.PACKET_OUTGOING:
            return
        sender, kind, to, incarnation, number, sent_ns = struct.unpack_from('>BBBBIQ', octets, 14)
        if kind == UNICAST and to != self.own:
            self.strays[to] = self.strays.get(to, 0) + 1
            return
        numbers = self.heard.setdefault((sender, kind, incarnation), {})
        if number in numbers and len(self.twice) < MOST_TWICE:
            self.twice.append([f'{sender}/{KINDS[kind]}', number])
        numbers[number] = sent_ns

    def report(self):
        heard = {f'{i}/{KINDS[kind]}/{n}': ranges(numbers) for (i, kind, n), numbers in self.heard.items()}
        return {'sent': self.sent, 'heard': heard, 'twice': self.twice, 'strays': self.strays}


def ranges(numbers):
    found = []
    for number in sorted(numbers):
        ms = numbers[number] / 1e6
        if found and found[-1][1] == number - 1:
            found[-1][1], found[-1][3] = number, ms
        else:
            found.append([number, number, ms, ms])
    return found


def main():
    device, own, incarnation, period = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) / 1000
    station = Station(device, own, incarnation, [int(peer) for peer in sys.argv[5].split(',') if peer])
    sends, next_frame = True, time.monotonic()
    print('ready', flush=True)
    while True:
        wait = max(0, next_frame - time.monotonic()) if sends else 1
        readable, _, _ = select.select([station.link, sys.stdin], [], [], wait)
        if station.link in readable:
            try:
                station.receive()
            except OSError:
                pass  # the device went down
        if sys.stdin in readable:
            command = sys.stdin.readline().strip()
            if command == '':
                return
            if command == 'report':
                print(json.dumps(station.report()), flush=True)
            sends = command != 'stop' and (sends or command == 'go')
        if sends and time.monotonic() >= next_frame:
            station.send()
            # A station that was late does not send what it has missed in one burst.
            next_frame = max(next_frame + period, time.monotonic())


main()
