#!/bin/bash
# Measures TCP inside VXLAN beside plain TCP, between two hosts with a switch between them. Prints Mbit/s and the ratio
# of the medians:
#
#   encapsulation.sh netdev|kernel|segmenting [ROUNDS] [VXLAN-OPTIONS…]
#
# netdev: etherws with two netdev ports. kernel: a Linux bridge. segmenting: a Linux bridge whose port to the receiver
# takes no encapsulated super-frames, so that the kernel segments them, as etherws does.
set -euo pipefail
if [ -z "${ETHERWS_LAB:-}" ]; then
  exec env ETHERWS_LAB=1 unshare --user --map-root-user --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi
kind=${1:?netdev, kernel or segmenting}
rounds=${2:-5}
etherws=$(dirname "$0")/../../dist/bundle/cli/etherws.js

# Starts a new network namespace, held by the process $host.
new_host() {
  unshare --net sleep infinity &
  host=$!
  until [ "$(readlink "/proc/$host/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
}
on() { nsenter --target "$1" --net -- "${@:2}"; }
mbits() { node -e 'let s = ""; process.stdin.on("data", (d) => (s += d)).on("end", () => console.log(Math.round(JSON.parse(s).end.sum_received.bits_per_second / 1e6)))'; }
median() { sort -n "$1" | sed -n "$(((rounds + 1) / 2))p"; }

ip link set lo up
new_host
left=$host
new_host
right=$host
for end in 1 2; do
  host=$left
  [ $end = 1 ] || host=$right
  ip link add "port$end" type veth peer name eth0 netns "$host"
  ip link set "port$end" up
  on "$host" ip link set lo up
  on "$host" ip link set eth0 up
  on "$host" ip address add "10.0.0.$end/24" dev eth0
  on "$host" ip link add overlay type vxlan id 7 local "10.0.0.$end" remote "10.0.0.$((3 - end))" dstport 4789 "${@:3}"
  on "$host" ip address add "192.0.2.$end/24" dev overlay
  on "$host" ip link set overlay up
done
if [ "$kind" = netdev ]; then
  node "$etherws" sw --foreground --host 127.0.0.1 --port 8000 >/dev/null 2>&1 &
  for ((tries = 50; tries > 0; tries--)); do ! node "$etherws" ctl listport >/dev/null 2>&1 || break; done
  for end in 1 2; do node "$etherws" ctl addport netdev "port$end" >/dev/null; done
else
  ip link add middle type bridge
  for end in 1 2; do ip link set "port$end" master middle; done
  ip link set middle up
  [ "$kind" != segmenting ] ||
    ethtool -K port2 tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off >/dev/null
fi
on "$right" iperf3 -s -D
tries=30
until on "$left" ping -c 1 -W 1 192.0.2.2 >/dev/null; do
  ((tries-- > 0)) || { echo "$kind: no answer through VXLAN within 30 s" >&2; exit 1; }
done

figures=$(mktemp -d)
trap 'rm -r "$figures"' EXIT
for ((round = 0; round < rounds; round++)); do
  on "$left" iperf3 -J -t 2 -c 10.0.0.2 | mbits >>"$figures/plain"
  on "$left" iperf3 -J -t 2 -c 192.0.2.2 | mbits >>"$figures/vxlan"
done
plain=$(median "$figures/plain")
vxlan=$(median "$figures/vxlan")
awk -v p="$plain" -v v="$vxlan" -v k="$kind" \
  'BEGIN { printf "%s: plain %d Mbit/s, in VXLAN %d Mbit/s, ratio %.2f\n", k, p, v, v / p }'
