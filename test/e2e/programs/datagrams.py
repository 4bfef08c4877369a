"""Sends datagrams that the kernel segments (UDP_SEGMENT), and receives or records them.

send ADDRESS PORT SENDS EACH    EACH datagrams a call, the next call when the last one was answered, or 2 s later
receive ADDRESS PORT COUNT      answers each datagram, and within 60 s prints the number of different complete ones
record DEVICE PORT COUNT FILE   writes a capture of COUNT frames that DEVICE receives for the UDP port, unchanged
"""
import socket
import struct
import sys

OCTETS = 1000
UDP_SEGMENT = 103
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
# More than a test sends: a receiver without processor time must not lose what has arrived.
RECEIVE_OCTETS = 64 << 20
# Longer than any pause of a busy machine; only a test that fails waits for so long.
PATIENCE_S = 60


def datagram(number):
    return struct.pack(">I", number) + bytes((number + at) & 0xFF for at in range(OCTETS - 4))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def hold(receiver):
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_OCTETS)
    try:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_OCTETS)
    except OSError:
        pass  # not root of the machine: the size above is what the system allows
    receiver.settimeout(PATIENCE_S)


def send(address, port, sends, each):
    sender = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, OCTETS)
    sender.settimeout(2)
    for first in range(0, int(sends) * int(each), int(each)):
        octets = b"".join(datagram(number) for number in range(first, first + int(each)))
        sender.sendto(octets, (address, int(port)))
        # Waits, since a receiver without processor time would lose datagrams beyond the buffer of its socket.
        try:
            while sender.recv(4) != struct.pack(">I", first + int(each) - 1):
                pass
        except socket.timeout:
            pass


def receive(address, port, count):
    receiver = socket.socket(family_of(address), socket.SOCK_DGRAM)
    hold(receiver)
    receiver.bind((address, int(port)))
    print("ready", flush=True)
    seen = set()
    try:
        while len(seen) < int(count):
            octets, sender = receiver.recvfrom(65535)
            (number,) = struct.unpack(">I", octets[:4])
            if octets == datagram(number):
                seen.add(number)
                receiver.sendto(octets[:4], sender)
    except socket.timeout:
        pass
    print(len(seen), "received", flush=True)


def record(device, port, count, file):
    recorder = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    recorder.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    hold(recorder)
    recorder.bind((device, 3))
    print("ready", flush=True)
    with open(file, "wb") as capture:
        capture.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        left = int(count)
        while left > 0:
            frame = recorder.recv(65535)
            udp = 54 if frame[12:14] == b"\x86\xdd" else 34
            if len(frame) < OCTETS or frame[udp + 2 : udp + 4] != struct.pack(">H", int(port)):
                continue
            capture.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
            left -= 1
    print("recorded", flush=True)


{"send": send, "receive": receive, "record": record}[sys.argv[1]](*sys.argv[2:])
