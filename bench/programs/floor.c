/*
 * The floor: the minimal cost of a user-space program that carries Ethernet frames
 * between a TAP device and a TCP connection. It does not
 * switch, mask, encrypt, batch or limit anything. Figures of tunnels are given as
 * ratios to it.
 *
 * 1. One thread a direction, each with blocking system calls.
 * 2. Device to socket: one read gives one frame, one write sends it behind its
 *    length, a u32 in host byte order (both ends are this machine).
 * 3. Socket to device: one read takes what has arrived, and every complete
 *    frame in it is one write to the device.
 *
 * With `vnet` the device has a virtio-net header: the kernel hands over TCP
 * super-frames with unfinished checksums and takes the same back. Compiled with
 * -DSEALED all of it goes in records such as TLS has (sealing.h).
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef SEALED
#include "sealing.h"
#endif

enum {
  LENGTH_BYTES = 4,
  /* at least a super-frame of 64 KiB with its Ethernet, VLAN and virtio-net headers */
  MAX_FRAME_BYTES = 68 * 1024,
  INBOUND_BYTES = 1024 * 1024,
};

static int device;
static int connection;

static int open_device(const char *name, bool has_vnet_header) {
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) err(1, "/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  if (has_vnet_header) request.ifr_flags |= IFF_VNET_HDR;
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(fd, TUNSETIFF, &request) < 0) err(1, "TAP device %s", name);
  if (has_vnet_header && ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) err(1, "TUNSETOFFLOAD");
  return fd;
}

static int open_connection(bool is_listener, const char *host, const char *port) {
  const int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) errx(2, "%s is no IPv4 address", host);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) err(1, "socket");
  if (is_listener) {
    int listener = fd;
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) err(1, "SO_REUSEADDR");
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) err(1, "bind %s:%s", host, port);
    if (listen(listener, 1) < 0) err(1, "listen");
    puts("listening");
    fflush(stdout);
    fd = accept(listener, NULL, NULL);
    if (fd < 0) err(1, "accept");
    close(listener);
  } else if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    err(1, "connect %s:%s", host, port);
  }
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0) err(1, "TCP_NODELAY");
  return fd;
}

static void write_all(int fd, const unsigned char *bytes, size_t length) {
  while (length > 0) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) exit(0); /* the other end has closed */
    bytes += written;
    length -= (size_t)written;
  }
}

static void send_record(const unsigned char *record, size_t length) {
#ifdef SEALED
  enum { MOST_RECORDS = (LENGTH_BYTES + MAX_FRAME_BYTES) / RECORD_CONTENT_BYTES + 1 };
  static unsigned char sealed[LENGTH_BYTES + MAX_FRAME_BYTES + MOST_RECORDS * RECORD_OVERHEAD_BYTES];
  static struct sealing sealing;
  if (sealing.context == NULL) sealing = start_sealing(1);
  write_all(connection, sealed, seal(&sealing, record, length, sealed));
#else
  write_all(connection, record, length);
#endif
}

/* Returns the number of octets received; 0 or less at the end. */
static ssize_t receive(unsigned char *bytes, size_t room) {
#ifdef SEALED
  /* With more, the octets would leave the processor's cache before they are decrypted. */
  static unsigned char arrived[128 * 1024];
  static struct sealing sealing;
  static size_t held;
  if (sealing.context == NULL) sealing = start_sealing(0);
  if (room < sizeof arrived) errx(1, "no room for what has arrived");
  for (;;) {
    ssize_t taken = read(connection, arrived + held, sizeof arrived - held);
    if (taken <= 0) return taken;
    held += (size_t)taken;
    size_t used, opened = unseal(&sealing, arrived, held, bytes, &used);
    memmove(arrived, arrived + used, held - used);
    held -= used;
    if (opened > 0) return (ssize_t)opened;
  }
#else
  return read(connection, bytes, room);
#endif
}

static void *device_to_connection(void *unused) {
  static unsigned char record[LENGTH_BYTES + MAX_FRAME_BYTES];
  (void)unused;
  for (;;) {
    ssize_t taken = read(device, record + LENGTH_BYTES, MAX_FRAME_BYTES);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) err(1, "read from the TAP device");
    uint32_t length = (uint32_t)taken;
    memcpy(record, &length, LENGTH_BYTES);
    send_record(record, LENGTH_BYTES + length);
  }
  return NULL;
}

static void connection_to_device(void) {
  static unsigned char inbound[INBOUND_BYTES];
  size_t held = 0;
  for (;;) {
    ssize_t taken = receive(inbound + held, sizeof inbound - held);
    if (taken < 0 && errno == EINTR) continue;
    if (taken <= 0) return;
    held += (size_t)taken;
    size_t offset = 0;
    while (held - offset >= LENGTH_BYTES) {
      uint32_t length;
      memcpy(&length, inbound + offset, LENGTH_BYTES);
      if (length > MAX_FRAME_BYTES) errx(1, "a frame of %u bytes: the other end is no floor", length);
      if (held - offset < LENGTH_BYTES + length) break;
      /* A device that is down refuses the frame, which is then lost. */
      if (write(device, inbound + offset + LENGTH_BYTES, length) < 0 && errno == EBADF) err(1, "write to the TAP device");
      offset += LENGTH_BYTES + length;
    }
    memmove(inbound, inbound + offset, held - offset);
    held -= offset;
  }
}

int main(int argc, char **argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: floor listen|dial ADDRESS PORT TAP plain|vnet\n");
    return 2;
  }
  device = open_device(argv[4], strcmp(argv[5], "vnet") == 0);
  connection = open_connection(strcmp(argv[1], "listen") == 0, argv[2], argv[3]);
  pthread_t thread;
  if (pthread_create(&thread, NULL, device_to_connection, NULL) != 0) errx(1, "no second thread");
  connection_to_device();
  return 0;
}
