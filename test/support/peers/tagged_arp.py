"""Sends an ARP request with a VLAN tag by a packet socket, and prints the tag of the reply: TPID and VID.

Usage: tagged_arp.py DEVICE TPID VID ADDRESS SECONDS. It asks every second, and ends with status 1 after SECONDS without a reply.
"""

import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, PACKET_OUTGOING = 263, 8, 4
VLAN_VALID, VLAN_TPID_VALID = 1 << 4, 1 << 6

device, tpid, vid, address, seconds = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
wanted = socket.inet_aton(address)
# With a protocol it would hear all devices until it is bound.
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
link.bind((device, 3))
link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
own = bytes.fromhex("020000000077")
probe = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, own, bytes(4), bytes(6), wanted)
asked = 0
end = time.monotonic() + seconds
while time.monotonic() < end:
    if time.monotonic() >= asked + 1:
        link.send(b"\xff" * 6 + own + struct.pack("!HHH", tpid, vid, 0x0806) + probe + bytes(18))
        asked = time.monotonic()
    link.settimeout(0.2)
    try:
        frame, control, _, sender = link.recvmsg(2048, 256)
    except TimeoutError:
        continue
    if sender[2] == PACKET_OUTGOING:
        continue
    tag = (0, 0)
    for level, kind, data in control:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, got = struct.unpack("=IIIHHHH", data[:20])
            if status & VLAN_VALID:
                tag = (got if status & VLAN_TPID_VALID else 0x8100, tci & 0xFFF)
    at = 12
    if struct.unpack_from("!H", frame, at)[0] in (0x8100, 0x88A8):
        tag = (struct.unpack_from("!H", frame, at)[0], struct.unpack_from("!H", frame, at + 2)[0] & 0xFFF)
        at += 4
    is_reply = frame[at : at + 2] == b"\x08\x06" and frame[at + 8 : at + 10] == b"\x00\x02"
    if is_reply and frame[at + 16 : at + 20] == wanted:
        print(f"{tag[0]:x} {tag[1]}")
        sys.exit(0)
sys.exit(1)
