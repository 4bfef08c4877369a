"""A host of multicast groups, for tests: python3 multicast_host.py COMMAND DEVICE GROUP [SOURCE]

join    joins the group, or one source of it, and prints the text of each datagram
send    sends a datagram with a number every 100 ms, and prints the number
watch   prints the source address of each frame to the group's MAC address, member or not
"""

import ipaddress
import socket
import struct
import sys
import time

PORT = 5000


def mac_of(group):
    if group.version == 6:
        return b"\x33\x33" + group.packed[-4:]
    return b"\x01\x00\x5e" + bytes([group.packed[1] & 0x7F]) + group.packed[2:]


def open_socket(group):
    family = socket.AF_INET6 if group.version == 6 else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM)


MCAST_JOIN_SOURCE_GROUP = 46


def socket_address(address):
    """struct sockaddr_storage"""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    before = struct.pack("@HH", family, 0) + (bytes(4) if address.version == 6 else b"")
    return (before + address.packed).ljust(128, b"\0")


def join(device, group, source=None):
    index = socket.if_nametoindex(device)
    host = open_socket(group)
    host.bind(("", PORT))
    if source is not None:
        level = socket.IPPROTO_IPV6 if group.version == 6 else socket.IPPROTO_IP
        option = struct.pack("@I4x", index) + socket_address(group) + socket_address(source)
        host.setsockopt(level, MCAST_JOIN_SOURCE_GROUP, option)
    elif group.version == 6:
        option = group.packed + struct.pack("@I", index)
        host.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, option)
    else:
        option = group.packed + bytes(4) + struct.pack("@i", index)
        host.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, option)
    print("joined", flush=True)
    while True:
        print(host.recv(100).decode(), flush=True)


def send(device, group):
    index = socket.if_nametoindex(device)
    host = open_socket(group)
    if group.version == 6:
        host.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        host.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 4)
    else:
        host.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, bytes(8) + struct.pack("@i", index))
        host.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    number = 0
    while True:
        number += 1
        host.sendto(str(number).encode(), (str(group), PORT))
        print(number, flush=True)
        time.sleep(0.1)


def watch(device, group):
    everything = 0x0003
    # With a protocol it would hear all devices until it is bound.
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    tap.bind((device, everything))
    print("watching", flush=True)
    while True:
        frame = tap.recv(2000)
        if frame[:6] == mac_of(group):
            print(frame[6:12].hex(":"), flush=True)


if __name__ == "__main__":
    command, device, *addresses = sys.argv[1:]
    {"join": join, "send": send, "watch": watch}[command](device, *map(ipaddress.ip_address, addresses))
