/*
 * Loads a switch by tunnels on the raw wire that cost this program little: a sender writes a block of short frames, which is
 * made once, again and again; a receiver has the kernel throw away what arrives, and counts octets.
 *
 *   relay-load ADDRESS PORT PAIRS FRAMES_PER_BLOCK SECONDS ORDER
 *
 * ORDER is `near`: a switch that hands connections to two processes in turn has both ends of a pair in one process; or `far`:
 * each pair has an end in each. Prints the frames that arrive a second, and the processors that this program uses.
 * Frames have 60 octets; each pair has stations and a flow of its own.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME_BYTES = 60, MASKED_BYTES = FRAME_BYTES + 6, MOST_PAIRS = 256, READ_BYTES = 1 << 20, SERVER_MESSAGE_BYTES = FRAME_BYTES + 2 };

struct end {
  int fd;
  int pair;
  bool is_sender;
  size_t at;
  uint8_t *block;
};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int connect_tunnel(const char *address, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (inet_pton(AF_INET, address, &to.sin_addr) != 1) errx(1, "no address: %s", address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) err(1, "connect");
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (write(fd, request, sizeof request - 1) != (ssize_t)(sizeof request - 1)) err(1, "request");
  char answer[2048];
  size_t held = 0;
  while (held < 4 || memcmp(answer + held - 4, "\r\n\r\n", 4) != 0) {
    if (held == sizeof answer || read(fd, answer + held, 1) != 1) errx(1, "no answer");
    held++;
  }
  if (memcmp(answer, "HTTP/1.1 101", 12) != 0) errx(1, "refused: %.60s", answer);
  return fd;
}

/* A masked binary message with one frame; the masking key is 0. */
static void write_message(uint8_t *to, int from_pair, bool from_sender) {
  memset(to, 0, MASKED_BYTES);
  to[0] = 0x82;
  to[1] = 0x80 | FRAME_BYTES;
  uint8_t *frame = to + 6;
  frame[0] = frame[6] = 2;
  frame[4] = frame[10] = (uint8_t)from_pair;
  frame[5] = from_sender ? 2 : 1;
  frame[11] = from_sender ? 1 : 2;
  frame[12] = 0x88;
  frame[13] = 0xb5;
}

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  if (count != 7) errx(2, "relay-load ADDRESS PORT PAIRS FRAMES_PER_BLOCK SECONDS near|far");
  const int port = atoi(arguments[2]), pairs = atoi(arguments[3]), frames = atoi(arguments[4]);
  const double seconds = atof(arguments[5]);
  const bool is_near = strcmp(arguments[6], "near") == 0;
  if (pairs < 2 || pairs > MOST_PAIRS || pairs % 2 != 0) errx(2, "an even number of pairs up to %d", MOST_PAIRS);
  const size_t block_bytes = (size_t)frames * MASKED_BYTES;
  static struct end ends[2 * MOST_PAIRS];
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  /*
   * Connections go to the two processes in turn. far: sender and receiver of a pair come one behind the other. near: first
   * two senders, then their two receivers.
   */
  for (int i = 0; i < 2 * pairs; i++) {
    struct end *end = &ends[i];
    end->fd = connect_tunnel(arguments[1], port);
    end->pair = is_near ? i / 4 * 2 + i % 2 : i / 2;
    end->is_sender = is_near ? i % 4 < 2 : i % 2 == 0;
    usleep(20000);
  }
  /* Each station says where it is. */
  for (int i = 0; i < 2 * pairs; i++) {
    uint8_t hello[MASKED_BYTES];
    write_message(hello, ends[i].pair, ends[i].is_sender);
    if (write(ends[i].fd, hello, sizeof hello) != sizeof hello) err(1, "hello");
    usleep(2000);
  }
  sleep(1);
  for (int i = 0; i < 2 * pairs; i++) {
    struct end *end = &ends[i];
    if (end->is_sender) {
      end->block = malloc(block_bytes);
      if (end->block == NULL) err(1, "malloc");
      for (int at = 0; at < frames; at++) write_message(end->block + (size_t)at * MASKED_BYTES, end->pair, true);
    }
    fcntl(end->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = end->is_sender ? EPOLLOUT : EPOLLIN, .data.ptr = end};
    epoll_ctl(poller, EPOLL_CTL_ADD, end->fd, &event);
  }
  static uint8_t scratch[READ_BYTES];
  double begin = now(), warm = begin + 1, end_time = warm + seconds, cpu_begin = 0;
  unsigned long long octets = 0;
  bool is_warm = false;
  for (double time = begin; time < end_time; time = now()) {
    if (!is_warm && time >= warm) {
      is_warm = true;
      octets = 0;
      cpu_begin = cpu();
      warm = time;
    }
    struct epoll_event events[64];
    int ready = epoll_wait(poller, events, 64, 100);
    for (int i = 0; i < ready; i++) {
      struct end *end = events[i].data.ptr;
      if (end->is_sender) {
        ssize_t sent = send(end->fd, end->block + end->at, block_bytes - end->at, MSG_NOSIGNAL);
        if (sent > 0) end->at = (end->at + (size_t)sent) % block_bytes;
        else if (errno != EAGAIN) err(1, "send");
      } else {
        /* With MSG_TRUNC the kernel throws the octets of a TCP socket away without copying them. */
        ssize_t received = recv(end->fd, scratch, sizeof scratch, MSG_TRUNC);
        if (received > 0) octets += (unsigned long long)received;
        else if (received == 0) errx(1, "a tunnel was closed");
      }
    }
  }
  double took = now() - warm;
  printf("%.0f %.2f\n", (double)octets / SERVER_MESSAGE_BYTES / took, (cpu() - cpu_begin) / took);
}
