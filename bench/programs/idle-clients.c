/*
 * Opens many WebSocket connections and sends nothing, as clients of idle tunnels
 * do. It takes no processor time while nothing arrives, so that only the
 * switch's cost of idle ports is measured.
 *
 *   idle-clients ADDRESS PORT COUNT
 *
 * Prints `ready` when all are connected. For each line on standard input it prints
 * the number of messages received over all connections. It ends with standard
 * input.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  READ_BYTES = 256 * 1024,
  EVENTS = 256,
  MAX_HEADER_BYTES = 10,
  OPCODE_BITS = 0x0f,
  FIN_BIT = 0x80,
  OPCODE_PING = 0x9,
  FIRST_CONTROL_OPCODE = 0x8,
};

/* The state of a connection within a WebSocket frame (RFC 6455, 5.2; a server does not mask). */
struct client {
  int fd;
  unsigned char header[MAX_HEADER_BYTES];
  unsigned held;
  uint64_t payload_left;
};

static unsigned long long messages;

static size_t header_bytes(const struct client *client) {
  if (client->held < 2) return 2;
  unsigned length = client->header[1] & 0x7f;
  return length == 127 ? 10 : length == 126 ? 4 : 2;
}

static uint64_t payload_bytes(const struct client *client) {
  size_t length_bytes = header_bytes(client) - 2;
  if (length_bytes == 0) return client->header[1] & 0x7f;
  uint64_t length = 0;
  for (size_t i = 0; i < length_bytes; i++) length = length << 8 | client->header[2 + i];
  return length;
}

static void frame_begins(struct client *client) {
  unsigned opcode = client->header[0] & OPCODE_BITS;
  if (opcode == OPCODE_PING) {
    /* A masked, empty pong: the switch takes any traffic as a sign of life. */
    static const unsigned char pong[] = {0x8a, 0x80, 0, 0, 0, 0};
    if (write(client->fd, pong, sizeof pong) != sizeof pong) warn("pong");
  } else if (opcode < FIRST_CONTROL_OPCODE && client->header[0] & FIN_BIT) {
    messages++;
  }
  client->payload_left = payload_bytes(client);
  client->held = 0;
}

static void take(struct client *client, const unsigned char *bytes, size_t count) {
  while (count > 0) {
    if (client->payload_left > 0) {
      size_t skipped = count < client->payload_left ? count : client->payload_left;
      client->payload_left -= skipped;
      bytes += skipped;
      count -= skipped;
      continue;
    }
    client->header[client->held++] = *bytes++;
    count--;
    if (client->held == header_bytes(client)) frame_begins(client);
  }
}

/* The opening handshake (RFC 6455, 4.1). The key is fixed, since the response is not verified. */
static int dial(const struct sockaddr_in *address, const char *host) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) err(1, "socket");
  if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0) err(1, "connect");
  char text[1024];
  int length = snprintf(text, sizeof text,
                        "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                        host);
  if (write(fd, text, (size_t)length) != length) err(1, "handshake");
  /* Reads single octets, so that none behind the response are consumed. */
  size_t held = 0;
  while (held < 4 || memcmp(text + held - 4, "\r\n\r\n", 4) != 0) {
    if (held == sizeof text || read(fd, text + held, 1) != 1) errx(1, "the handshake was cut off");
    held++;
  }
  if (strncmp(text, "HTTP/1.1 101", 12) != 0) errx(1, "refused: %.*s", (int)strcspn(text, "\r"), text);
  return fd;
}

static void watch(int epoll, int fd, struct client *client) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) err(1, "epoll_ctl");
}

/* Answers a line. Returns false at the end of standard input. */
static bool answer(void) {
  char line[64];
  ssize_t taken = read(STDIN_FILENO, line, sizeof line);
  if (taken <= 0) return false;
  printf("%llu\n", messages);
  fflush(stdout);
  return true;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: idle-clients ADDRESS PORT COUNT\n");
    return 2;
  }
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) errx(2, "%s is no IPv4 address", argv[1]);
  size_t count = (size_t)atoi(argv[3]);

  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) err(1, "RLIMIT_NOFILE");
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) err(1, "RLIMIT_NOFILE");

  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct client *clients = calloc(count + 1, sizeof *clients);
  unsigned char *bytes = malloc(READ_BYTES);
  if (epoll < 0 || clients == NULL || bytes == NULL) err(1, "no memory");
  for (size_t i = 0; i < count; i++) {
    clients[i].fd = dial(&address, argv[1]);
    watch(epoll, clients[i].fd, &clients[i]);
  }
  watch(epoll, STDIN_FILENO, NULL);
  puts("ready");
  fflush(stdout);

  for (;;) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) err(1, "epoll_wait");
    for (int i = 0; i < ready; i++) {
      struct client *client = events[i].data.ptr;
      if (client == NULL) {
        if (!answer()) return 0;
        continue;
      }
      ssize_t taken = recv(client->fd, bytes, READ_BYTES, MSG_DONTWAIT);
      if (taken > 0) take(client, bytes, (size_t)taken);
      else if (taken == 0 || errno != EAGAIN) errx(1, "the switch closed an idle connection");
    }
  }
}
