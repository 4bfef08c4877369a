#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tally.h"

// The headers of older distributions lack these. A kernel that does not know them refuses them.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum { FEATURES_USO = TUN_F_USO4 | TUN_F_USO6 };

// Whether a device of that name exists. TUNSETIFF would create a missing one.
static bool is_there(const char *name) { return if_nametoindex(name) != 0; }

// Returns NULL, or the name of the call that failed, with errno.
static const char *configure(int fd, struct tap_settings *settings, struct ifreq *request) {
  bool has_vnet_header = settings->features >= 0;
  int header_bytes = VNET_HEADER_BYTES;
  int is_little_endian = 1;
  request->ifr_flags = IFF_TAP | IFF_NO_PI | (has_vnet_header ? IFF_VNET_HDR : 0);
  if (ioctl(fd, TUNSETIFF, request) < 0) {
    if (errno != EINVAL) return "ioctl(TUNSETIFF)";
    // Each process that attaches to a device with several queues has to set IFF_MULTI_QUEUE.
    request->ifr_flags |= IFF_MULTI_QUEUE;
    if (!is_there(request->ifr_name) || ioctl(fd, TUNSETIFF, request) < 0) {
      errno = EINVAL;
      return "ioctl(TUNSETIFF)";
    }
  }
  // A persistent device keeps the settings of the process that used it before, so each of them is set.
  if (has_vnet_header && ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0) return "ioctl(TUNSETVNETHDRSZ)";
  if (has_vnet_header && ioctl(fd, TUNSETVNETLE, &is_little_endian) < 0) return "ioctl(TUNSETVNETLE)";
  unsigned long features = has_vnet_header ? (unsigned long)settings->features : 0;
  if (ioctl(fd, TUNSETOFFLOAD, features) < 0) {
    if (errno != EINVAL || (features & FEATURES_USO) == 0) return "ioctl(TUNSETOFFLOAD)";
    settings->features &= ~FEATURES_USO;  // the kernel is older than Linux 6.2
    if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)settings->features) < 0) return "ioctl(TUNSETOFFLOAD)";
  }
  if (ioctl(fd, TUNSETSNDBUF, &settings->send_buffer_bytes) < 0) return "ioctl(TUNSETSNDBUF)";
  if (ioctl(fd, TUNGETIFF, request) < 0) return "ioctl(TUNGETIFF)";
  return NULL;
}

int tap_open(struct tap_settings *settings, const char **failed_call) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  *failed_call = "open(/dev/net/tun)";
  if (fd < 0) return -errno;
  struct ifreq request = {0};
  memcpy(request.ifr_name, settings->name, sizeof request.ifr_name);
  *failed_call = configure(fd, settings, &request);
  if (*failed_call != NULL) {
    int error = errno;
    close(fd);
    return -error;
  }
  memcpy(settings->name, request.ifr_name, sizeof settings->name);
  settings->is_persistent = (request.ifr_flags & IFF_PERSIST) != 0;
  return fd;
}

int tap_read(int fd, bool has_vnet_header, struct frame_slab *slab, size_t max_frame_bytes, uint32_t *tally) {
  size_t header = has_vnet_header ? VNET_HEADER_BYTES : 0;
  size_t at = SLAB_FRONT_BYTES;
  size_t count = 0;
  // Reads one octet more than max_frame_bytes, so that a truncated frame is recognized. The number of reads is limited,
  // because a flood of frames that are too long must not block the loop.
  for (size_t attempts = 0; attempts < slab->capacity; attempts++) {
    const size_t start = at + slab->tag_room + RECORD_HEADER_BYTES;
    if (start + max_frame_bytes + 1 > slab->size) break;
    uint8_t *frame = slab->bytes + start;
    ssize_t length = read(fd, frame - header, header + max_frame_bytes + 1);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (warrants_retry(errno) || count > 0) break;
      return -errno;
    }
    size_t frame_bytes = (size_t)length < header ? 0 : (size_t)length - header;
    if (frame_bytes > max_frame_bytes) {
      tally[TALLY_TOO_LONG]++;
      note_fault(TALLY_TOO_LONG, frame, frame_bytes, header != 0);
      continue;
    }
    if (header == 0) memset(frame - VNET_HEADER_BYTES, 0, VNET_HEADER_BYTES);
    slab->starts[count] = (uint32_t)start;
    slab->lengths[count++] = (uint32_t)frame_bytes;
    at = start + frame_bytes;
  }
  return (int)count;
}

static const uint8_t NO_OFFLOAD[VNET_HEADER_BYTES];

static ssize_t write_frame(int fd, bool has_vnet_header, const uint8_t *frame, size_t length, bool has_header) {
  if (!has_vnet_header) return write(fd, frame, length);
  if (has_header) return write(fd, frame - VNET_HEADER_BYTES, VNET_HEADER_BYTES + length);
  struct iovec parts[2] = {{(void *)NO_OFFLOAD, VNET_HEADER_BYTES}, {(void *)frame, length}};
  return writev(fd, parts, 2);
}

int tap_write(int fd, bool has_vnet_header, const struct frame_slab *slab, const struct frame_selection *frames,
              uint32_t *tally) {
  int taken = 0;
  for (size_t i = 0; i < frames->count; i++) {
    uint32_t index = selected(frames, i);
    const uint8_t *frame = slab->bytes + slab->starts[index];
    ssize_t written;
    do {
      written = write_frame(fd, has_vnet_header, frame, slab->lengths[index], frames->has_vnet_headers);
    } while (written < 0 && errno == EINTR);
    if (written >= 0) {
      taken++;
      continue;
    }
    enum tally_index reason = tally_of_write_error(errno, needs_offload(frame, frames->has_vnet_headers));
    tally[reason]++;
    note_fault(reason, frame, slab->lengths[index], frames->has_vnet_headers);
    if (reason == TALLY_LINK_DOWN || warrants_retry(errno)) {
      // A device that is down, or whose queue is full, does not take the following frames either.
      tally[reason] += (uint32_t)(frames->count - i - 1);
      break;
    }
  }
  return taken;
}
