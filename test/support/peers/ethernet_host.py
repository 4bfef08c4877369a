"""A simulated Ethernet host, which only answers: ARP for its address, and ICMP echo."""

import struct

BROADCAST = b"\xff" * 6


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class EthernetHost:
    def __init__(self, mac, address):
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.address = bytes(map(int, address.split(".")))

    def answer(self, frame):
        """The host's answer to a frame, or None."""
        if len(frame) < 34 or frame[0:6] not in (self.mac, BROADCAST):
            return None
        kind = frame[12:14]
        if kind == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == self.address:
            asker, asking = frame[22:28], frame[28:32]
            reply = frame[14:20] + b"\0\2" + self.mac + self.address + asker + asking
            return asker + self.mac + kind + reply
        if kind == b"\x08\x00" and frame[23] == 1 and frame[30:34] == self.address:
            header = (frame[14] & 15) * 4
            length = struct.unpack("!H", frame[16:18])[0]
            ip, icmp = frame[14:14 + header], frame[14 + header:14 + length]
            if icmp[0] != 8:
                return None
            ip = ip[:12] + ip[16:20] + ip[12:16] + ip[20:]
            icmp = b"\0\0\0\0" + icmp[4:]
            icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
            return frame[6:12] + self.mac + kind + ip + icmp
        return None
