// TAP devices (Linux Documentation/networking/tuntap.rst).
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../node/addon.h"

// Not in the headers of older distributions; the kernel refuses what it does not know.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum { FEATURES_USO = TUN_F_USO4 | TUN_F_USO6 };

struct tap_settings {
  struct ifreq request;
  int features;  // TUN_F_*; -1 for a device without virtio-net headers
  int send_buffer_bytes;
};

// Whether there is a device of that name: where there is none, TUNSETIFF would make one.
static bool is_there(const char *name) { return if_nametoindex(name) != 0; }

// Returns NULL, or the name of the call that failed, with errno.
static const char *configure(int fd, struct tap_settings *settings) {
  bool has_vnet_header = settings->features >= 0;
  int header_bytes = VNET_HEADER_BYTES;
  int is_little_endian = 1;
  settings->request.ifr_flags = IFF_TAP | IFF_NO_PI | (has_vnet_header ? IFF_VNET_HDR : 0);
  if (ioctl(fd, TUNSETIFF, &settings->request) < 0) {
    if (errno != EINVAL) return "ioctl(TUNSETIFF)";
    // A device of several queues wants to be told so by each that attaches.
    settings->request.ifr_flags |= IFF_MULTI_QUEUE;
    if (!is_there(settings->request.ifr_name) || ioctl(fd, TUNSETIFF, &settings->request) < 0) {
      errno = EINVAL;
      return "ioctl(TUNSETIFF)";
    }
  }
  // A persistent device keeps what its last user set, so all of it is set again.
  if (has_vnet_header && ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0) return "ioctl(TUNSETVNETHDRSZ)";
  if (has_vnet_header && ioctl(fd, TUNSETVNETLE, &is_little_endian) < 0) return "ioctl(TUNSETVNETLE)";
  unsigned long features = has_vnet_header ? (unsigned long)settings->features : 0;
  if (ioctl(fd, TUNSETOFFLOAD, features) < 0) {
    if (errno != EINVAL || (features & FEATURES_USO) == 0) return "ioctl(TUNSETOFFLOAD)";
    settings->features &= ~FEATURES_USO;  // a kernel before 6.2
    if (ioctl(fd, TUNSETOFFLOAD, (unsigned long)settings->features) < 0) return "ioctl(TUNSETOFFLOAD)";
  }
  if (ioctl(fd, TUNSETSNDBUF, &settings->send_buffer_bytes) < 0) return "ioctl(TUNSETSNDBUF)";
  if (ioctl(fd, TUNGETIFF, &settings->request) < 0) return "ioctl(TUNGETIFF)";
  return NULL;
}

// openTap(name, features, sendBufferBytes) returns {descriptor, name, features, isPersistent}.
napi_value open_tap(napi_env env, napi_callback_info info) {
  napi_value arguments[3], result;
  struct tap_settings settings = {0};
  if (!take_arguments(env, info, arguments, 3) ||
      !take_string(env, arguments[0], settings.request.ifr_name, IFNAMSIZ) ||
      !take_int32(env, arguments[1], &settings.features) ||
      !take_int32(env, arguments[2], &settings.send_buffer_bytes)) {
    return NULL;
  }
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "open(/dev/net/tun)");
  const char *failed = configure(fd, &settings);
  if (failed != NULL) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, failed);
  }
  napi_value descriptor = descriptor_create(env, fd, KIND_TAP, settings.features >= 0);
  if (descriptor == NULL) return NULL;
  CHECK_NAPI(env, napi_create_object(env, &result));
  CHECK_NAPI(env, napi_set_named_property(env, result, "descriptor", descriptor));
  if (!set_string(env, result, "name", settings.request.ifr_name) ||
      !set_number(env, result, "features", settings.features) ||
      !set_bool(env, result, "isPersistent", (settings.request.ifr_flags & IFF_PERSIST) != 0)) {
    return NULL;
  }
  return result;
}

int tap_read(const struct descriptor *tap, struct frame_slab *slab, size_t room, uint32_t *tally) {
  size_t header = tap->has_vnet_header ? VNET_HEADER_BYTES : 0;
  size_t at = SLAB_FRONT_BYTES;
  size_t count = 0;
  // One octet more than the room, so that a frame which was cut shows. The attempts are bounded as the frames are:
  // a flood of over-long ones must not keep the loop.
  for (size_t attempts = 0; attempts < slab->capacity; attempts++) {
    if (at + RECORD_HEADER_BYTES + room + 1 > slab->size) break;
    uint8_t *frame = slab->bytes + at + RECORD_HEADER_BYTES;
    ssize_t length = read(tap->fd, frame - header, header + room + 1);
    if (length < 0) {
      if (errno == EINTR) continue;
      if (warrants_retry(errno) || count > 0) break;
      return -errno;
    }
    size_t frame_bytes = (size_t)length < header ? 0 : (size_t)length - header;
    if (frame_bytes > room) {
      tally[TALLY_TOO_LONG]++;
      note_fault(TALLY_TOO_LONG, frame, frame_bytes, header != 0);
      continue;
    }
    if (header == 0) memset(frame - VNET_HEADER_BYTES, 0, VNET_HEADER_BYTES);
    slab->starts[count] = (uint32_t)(at + RECORD_HEADER_BYTES);
    slab->lengths[count++] = (uint32_t)frame_bytes;
    at += RECORD_HEADER_BYTES + frame_bytes;
  }
  return (int)count;
}

static const uint8_t NO_DEBT[VNET_HEADER_BYTES];

static ssize_t write_frame(const struct descriptor *tap, const uint8_t *frame, size_t length, bool has_header) {
  if (!tap->has_vnet_header) return write(tap->fd, frame, length);
  if (has_header) return write(tap->fd, frame - VNET_HEADER_BYTES, VNET_HEADER_BYTES + length);
  struct iovec parts[2] = {{(void *)NO_DEBT, VNET_HEADER_BYTES}, {(void *)frame, length}};
  return writev(tap->fd, parts, 2);
}

int tap_write(const struct descriptor *tap, const struct frame_slab *slab, const struct frame_selection *frames,
              uint32_t *tally) {
  int taken = 0;
  for (size_t i = 0; i < frames->count; i++) {
    uint32_t index = selected(frames, i);
    const uint8_t *frame = slab->bytes + slab->starts[index];
    ssize_t written;
    do {
      written = write_frame(tap, frame, slab->lengths[index], frames->has_vnet_headers);
    } while (written < 0 && errno == EINTR);
    if (written >= 0) {
      taken++;
      continue;
    }
    enum tally_index reason = tally_of_write_error(errno, owes(frame, frames->has_vnet_headers));
    tally[reason]++;
    note_fault(reason, frame, slab->lengths[index], frames->has_vnet_headers);
    if (reason == TALLY_LINK_DOWN || warrants_retry(errno)) {
      // What is down or full for this frame is so for the rest.
      tally[reason] += (uint32_t)(frames->count - i - 1);
      break;
    }
  }
  return taken;
}
