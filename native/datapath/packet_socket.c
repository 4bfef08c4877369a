#include "packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tally.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

enum {
  ADDRESSES_BYTES = 12,  // in front of the tag
  TAG_BYTES = 4,
  SEND_CHUNK = 64,
};

static bool set_option(int fd, int option, int value) {
  return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0;
}

// Returns NULL, or the name of the call that failed, with errno.
static const char *configure(int fd, int index, bool has_vnet_header, int receive_buffer_bytes) {
  if (!set_option(fd, PACKET_IGNORE_OUTGOING, 1)) return "setsockopt(PACKET_IGNORE_OUTGOING)";
  if (!set_option(fd, PACKET_AUXDATA, 1)) return "setsockopt(PACKET_AUXDATA)";
  if (has_vnet_header && !set_option(fd, PACKET_VNET_HDR, 1)) return "setsockopt(PACKET_VNET_HDR)";
  // SO_RCVBUFFORCE may exceed net.core.rmem_max, but needs CAP_NET_ADMIN. Without it SO_RCVBUF sets at most that limit.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof receive_buffer_bytes) < 0 &&
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes) < 0) {
    return "setsockopt(SO_RCVBUF)";
  }
  struct packet_mreq membership = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
  if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) < 0) {
    return "setsockopt(PACKET_ADD_MEMBERSHIP)";
  }
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return "bind";
  return NULL;
}

int packet_open(int interface_index, bool has_vnet_header, int receive_buffer_bytes, const char **failed_call) {
  // With protocol 0 the socket receives nothing before it is bound, so no frame of another device.
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *failed_call = "socket(AF_PACKET)";
  if (fd < 0) return -errno;
  *failed_call = configure(fd, interface_index, has_vnet_header, receive_buffer_bytes);
  if (*failed_call == NULL) return fd;
  int error = errno;
  close(fd);
  return -error;
}

// Sends a frame with an EtherType for experiments, and an offload header for a datagram super-frame of one segment. A
// kernel that knows this GSO type sends the frame as it is; older ones answer EINVAL. The offsets in the header are
// those of a UDP datagram, which both kinds of kernels require.
static bool is_uso_taken(int fd, int loopback) {
  enum { PROBE_BYTES = 60, TRANSPORT = 34, PAYLOAD = 42, UDP_CHECKSUM_OFFSET = 6, GSO_UDP_L4 = 5, NEEDS_CSUM = 1 };
  uint8_t probe[VNET_HEADER_BYTES + PROBE_BYTES] = {
      NEEDS_CSUM, GSO_UDP_L4, PAYLOAD, 0, PROBE_BYTES, 0, TRANSPORT, 0, UDP_CHECKSUM_OFFSET};
  const uint16_t ethertype = htons(ETH_P_802_EX1);
  memcpy(probe + VNET_HEADER_BYTES + ADDRESSES_BYTES, &ethertype, sizeof ethertype);
  const struct sockaddr_ll to = {
      .sll_family = AF_PACKET, .sll_protocol = ethertype, .sll_ifindex = loopback, .sll_halen = ETH_ALEN};
  return set_option(fd, PACKET_VNET_HDR, 1) && sendto(fd, probe, sizeof probe, MSG_DONTWAIT,
                                                      (const struct sockaddr *)&to, sizeof to) == (ssize_t)sizeof probe;
}

bool packet_takes_uso(void) {
  const unsigned loopback = if_nametoindex("lo");
  const int fd = loopback == 0 ? -1 : socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const bool is_taken = fd >= 0 && is_uso_taken(fd, (int)loopback);
  if (fd >= 0) close(fd);
  return is_taken;
}

static void add_to_field(uint8_t *field, unsigned addend) {
  uint16_t value;
  memcpy(&value, field, sizeof value);
  value = (uint16_t)(value + addend);
  memcpy(field, &value, sizeof value);
}

// The kernel strips the outer tag from frames for packet sockets, and passes it beside the frame (PACKET_AUXDATA). Puts
// it back, and returns the new length.
static size_t restore_tag(struct msghdr *message, uint8_t *frame, size_t length) {
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  if (control == NULL || control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA) return length;
  struct tpacket_auxdata data;
  memcpy(&data, CMSG_DATA(control), sizeof data);
  if ((data.tp_status & TP_STATUS_VLAN_VALID) == 0 || length < ADDRESSES_BYTES) return length;
  uint16_t tag[2] = {htons((data.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? data.tp_vlan_tpid : ETH_P_8021Q),
                     htons(data.tp_vlan_tci)};
  memmove(frame + ADDRESSES_BYTES + TAG_BYTES, frame + ADDRESSES_BYTES, length - ADDRESSES_BYTES);
  memcpy(frame + ADDRESSES_BYTES, tag, TAG_BYTES);
  uint8_t *header = frame - VNET_HEADER_BYTES;
  if (header[1] != 0) add_to_field(header + 2, TAG_BYTES);        // hdr_len of a super-frame
  if ((header[0] & 1) != 0) add_to_field(header + 6, TAG_BYTES);  // csum_start of a frame that needs a checksum
  return length + TAG_BYTES;
}

// Returns how many frames the kernel dropped because its receive buffer was full, since the last call: the call resets
// the count.
static uint32_t count_drops(int fd) {
  struct tpacket_stats statistics;
  socklen_t size = sizeof statistics;
  return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0 ? statistics.tp_drops : 0;
}

int packet_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally) {
  size_t header = has_vnet_header ? VNET_HEADER_BYTES : 0;
  size_t at = SLAB_FRONT_BYTES;
  size_t count = 0;
  bool is_drained = false;
  for (size_t attempts = 0; attempts < slab->capacity; attempts++) {
    const size_t start = at + slab->tag_room + RECORD_HEADER_BYTES;
    if (start + max_frame_bytes + TAG_BYTES > slab->size) break;
    uint8_t *frame = slab->bytes + start;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    struct iovec part = {frame - header, header + max_frame_bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(fd, &message, 0);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (errno == EINVAL) {  // a kind of super-frame that the virtio-net header cannot describe
        tally[TALLY_BAD_OFFLOAD]++;
        note_fault(TALLY_BAD_OFFLOAD, NULL, 0, false);
        continue;
      }
      is_drained = warrants_retry(errno);
      if (is_drained || count > 0) break;
      return -errno;
    }
    if (header == 0) memset(frame - VNET_HEADER_BYTES, 0, VNET_HEADER_BYTES);
    size_t frame_bytes = (size_t)length < header ? 0 : (size_t)length - header;
    frame_bytes = restore_tag(&message, frame, frame_bytes);
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      tally[TALLY_TOO_LONG]++;
      note_fault(TALLY_TOO_LONG, frame, frame_bytes, true);
      continue;
    }
    slab->starts[count] = (uint32_t)start;
    slab->lengths[count++] = (uint32_t)frame_bytes;
    at = start + frame_bytes;
  }
  // The kernel only drops while more frames wait than one call reads, so a drained queue needs no getsockopt(2).
  if (!is_drained) tally[TALLY_QUEUE_FULL] += count_drops(fd);
  return (int)count;
}

static const uint8_t NO_OFFLOAD[VNET_HEADER_BYTES];

// Sends up to SEND_CHUNK frames from `first` on. Returns how many the kernel took before one failed, with errno.
static size_t send_chunk(int fd, bool has_vnet_header, const struct frame_slab *slab,
                         const struct frame_selection *frames, size_t first, size_t count) {
  struct iovec parts[SEND_CHUNK][2];
  struct mmsghdr messages[SEND_CHUNK];
  memset(messages, 0, count * sizeof *messages);
  for (size_t i = 0; i < count; i++) {
    uint32_t index = selected(frames, first + i);
    uint8_t *frame = slab->bytes + slab->starts[index];
    size_t length = slab->lengths[index];
    struct msghdr *message = &messages[i].msg_hdr;
    message->msg_iov = parts[i];
    message->msg_iovlen = 1;
    if (!has_vnet_header) {
      parts[i][0] = (struct iovec){frame, length};
    } else if (frames->has_vnet_headers) {
      parts[i][0] = (struct iovec){frame - VNET_HEADER_BYTES, VNET_HEADER_BYTES + length};
    } else {
      parts[i][0] = (struct iovec){(void *)NO_OFFLOAD, VNET_HEADER_BYTES};
      parts[i][1] = (struct iovec){frame, length};
      message->msg_iovlen = 2;
    }
  }
  int sent;
  do {
    sent = sendmmsg(fd, messages, (unsigned)count, 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? 0 : (size_t)sent;
}

int packet_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
                 uint32_t *tally) {
  int taken = 0;
  size_t next = 0;
  while (next < frames->count) {
    size_t count = frames->count - next < SEND_CHUNK ? frames->count - next : SEND_CHUNK;
    size_t sent = send_chunk(fd, has_vnet_header, slab, frames, next, count);
    taken += (int)sent;
    next += sent;
    if (sent > 0) continue;  // it stopped before a frame that fails: the next round gets its errno
    const uint8_t *frame = slab->bytes + slab->starts[selected(frames, next)];
    int error = errno;
    enum tally_index reason = tally_of_write_error(error, needs_offload(frame, frames->has_vnet_headers));
    // The frame that failed is lost. If the socket buffer is full, or the device is down, the frames behind it are lost
    // as well. If the queue of the device is full (ENOBUFS), the next frame may be taken. A write never waits.
    size_t lost = reason == TALLY_LINK_DOWN || warrants_retry(error) ? frames->count - next : 1;
    tally[reason] += (uint32_t)lost;
    note_fault(reason, frame, slab->lengths[selected(frames, next)], frames->has_vnet_headers);
    next += lost;
  }
  return taken;
}
