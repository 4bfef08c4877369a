/*
 * A load generator with little processor time of its own, so that a test measures the cost of its requests.
 *
 *   flood-requests ADDRESS PORT CONNECTIONS NETWORK/PREFIX REQUEST...
 *
 * For each number that it reads, one a line, it sends requests, each over a new
 * connection, CONNECTIONS at a time, until so many were answered. It then prints one
 * line, a JSON object with the number of responses by status; before that, a line every
 * PROGRESS responses. Its source addresses are random ones of NETWORK, which must all be
 * addresses of this host; the REQUESTs are used in turn. It ends with standard input.
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
#include <sys/socket.h>
#include <unistd.h>

enum {
  MAX_CONNECTIONS = 10000,
  EVENTS = 256,
  STATUSES = 1000,
  PROGRESS = 250,
  STATUS_AT = sizeof "HTTP/1.1 " - 1,
  STATUS_BYTES = 3,
};

struct connection {
  int fd;
  bool is_asked;
};

static int epoll;
static struct sockaddr_in target;
static uint32_t network, host_mask;
static char **requests;
static unsigned request_count;
static unsigned long left, sent, answers[STATUSES];

static void use_network(const char *text) {
  struct in_addr address;
  char part[INET_ADDRSTRLEN];
  int bits;
  if (sscanf(text, "%15[0-9.]/%d", part, &bits) != 2 || bits < 1 || bits > 30 || inet_pton(AF_INET, part, &address) != 1) {
    errx(2, "%s: expected a network such as 10.64.0.0/16", text);
  }
  host_mask = UINT32_MAX >> bits;
  network = ntohl(address.s_addr) & ~host_mask;
}

/* A random address of the network, without the first and the last one. */
static uint32_t any_address(void) { return network | (1 + (uint32_t)random() % (host_mask - 1)); }

static void begin(struct connection *connection) {
  static const int on = 1;
  /* Closed by a reset: half a million connections in TIME_WAIT would use up the ports, which would end the attack. */
  static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(any_address())};
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = connection};
  connection->is_asked = false;
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connection->fd < 0 || setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0 ||
      setsockopt(connection->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0 ||
      bind(connection->fd, (struct sockaddr *)&source, sizeof source) != 0) {
    err(1, "socket");
  }
  if (connect(connection->fd, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS) err(1, "connect");
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0) err(1, "epoll_ctl");
}

static bool ask(struct connection *connection) {
  const char *request = requests[sent++ % request_count];
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  connection->is_asked = true;
  return send(connection->fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request) &&
         epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

/* Reads a response. A request whose connection was cut does not count as answered. */
static void hear(const struct connection *connection) {
  char head[STATUS_AT + STATUS_BYTES + 1] = {0};
  if (recv(connection->fd, head, sizeof head - 1, 0) != sizeof head - 1) return;
  int status = atoi(head + STATUS_AT);
  if (status < 100 || status >= STATUSES) errx(1, "no status: %s", head);
  answers[status]++;
  if (left > 0) left--;
  if (left > 0 && left % PROGRESS == 0) {
    printf("%lu left\n", left);
    fflush(stdout);
  }
}

static void flood(struct connection *connections, unsigned count) {
  struct epoll_event events[EVENTS];
  memset(answers, 0, sizeof answers);
  for (unsigned i = 0; i < count; i++) begin(&connections[i]);
  while (left > 0) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) err(1, "epoll_wait");
    for (int i = 0; i < ready && left > 0; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection->is_asked && !(events[i].events & (EPOLLERR | EPOLLHUP)) && ask(connection)) continue;
      if (connection->is_asked) hear(connection);
      close(connection->fd);
      begin(connection);
    }
  }
  for (unsigned i = 0; i < count; i++) close(connections[i].fd);
}

static void tell(void) {
  const char *before = "{";
  for (int status = 0; status < STATUSES; status++) {
    if (answers[status] == 0) continue;
    printf("%s\"%d\":%lu", before, status, answers[status]);
    before = ",";
  }
  printf("}\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[32];
  if (argc < 6) errx(2, "usage: flood-requests ADDRESS PORT CONNECTIONS NETWORK/PREFIX REQUEST...");
  target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
  if (inet_pton(AF_INET, argv[1], &target.sin_addr) != 1) errx(2, "%s: not an IPv4 address", argv[1]);
  unsigned count = (unsigned)strtoul(argv[3], NULL, 10);
  if (count < 1 || count > MAX_CONNECTIONS) errx(2, "%s: not a number of connections", argv[3]);
  use_network(argv[4]);
  requests = argv + 5;
  request_count = (unsigned)argc - 5;
  epoll = epoll_create1(EPOLL_CLOEXEC);
  struct connection *connections = calloc(count, sizeof *connections);
  if (epoll < 0 || connections == NULL) err(1, "no memory");
  while (fgets(line, sizeof line, stdin) != NULL) {
    left = strtoul(line, NULL, 10);
    flood(connections, count);
    tell();
  }
  free(connections);
  return 0;
}
