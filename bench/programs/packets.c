/*
 * Sends, receives and echoes UDP packets. Sender and receiver are on one
 * machine and share its clock, so the one-way delay is known. A packet that
 * arrives later than LATE_MS counts as lost, so that a deep queue does not improve a
 * figure. The time of arrival is the kernel's time stamp, so the delay does not
 * include the receiver's wait for a processor.
 *
 *   packets send ADDRESS PORT SECONDS RATE OCTETS   RATE in packets a second, 0 = unlimited
 *   packets receive PORT LATE_MS               until standard input ends
 *   packets echo PORT                          until standard input ends
 *   packets rtt ADDRESS PORT SECONDS INTERVAL_US
 *
 * Each prints one JSON object; `receive` and `echo` print the line `ready`
 * first. OCTETS is the payload; the smallest, of 18 bytes, makes a frame of 60 bytes, 64 with its FCS.
 * The receiver counts separately the packets that its own socket had no room for, which are no loss of the tunnel.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, MAX_OCTETS = 1472, MAX_PACKETS = 1 << 26, MAX_SAMPLES = 1 << 20, RECEIVE_BUFFER_BYTES = 64 << 20 };
#define NS_PER_S 1000000000LL
/* A sender that was not scheduled for longer does not catch up: the burst would measure queues, not throughput. */
#define MAX_LAG_NS (NS_PER_S / 1000)

struct __attribute__((packed)) packet {
  uint16_t run;
  uint64_t sequence;
  int64_t sent_ns;
};
_Static_assert(sizeof(struct packet) == 18, "the packet must fill the smallest Ethernet frame exactly");

union payload {
  struct packet packet;
  unsigned char octets[MAX_OCTETS];
};

struct batch {
  union payload packets[BATCH];
  char control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
  struct iovec parts[BATCH];
  struct mmsghdr messages[BATCH];
};

static int64_t ns_of(struct timespec t) { return t.tv_sec * NS_PER_S + t.tv_nsec; }

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return ns_of(t);
}

/* The clock of the kernel's time stamps. */
static int64_t stamp_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return ns_of(t);
}

static void prepare(struct batch *batch, size_t octets) {
  memset(batch, 0, sizeof *batch);
  for (int i = 0; i < BATCH; i++) {
    batch->parts[i] = (struct iovec){&batch->packets[i], octets};
    batch->messages[i].msg_hdr.msg_iov = &batch->parts[i];
    batch->messages[i].msg_hdr.msg_iovlen = 1;
  }
}

static int dial(const char *host, const char *port) {
  const int on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) errx(2, "%s is no IPv4 address", host);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0) err(1, "socket");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) err(1, "connect %s:%s", host, port);
  return fd;
}

static int serve(const char *port) {
  const int bytes = RECEIVE_BUFFER_BYTES, on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0) err(1, "socket");
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) err(1, "bind port %s", port);
  /* SO_RCVBUFFORCE needs CAP_NET_ADMIN in the initial user namespace; otherwise the system's limit applies. */
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0) {
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) < 0) err(1, "SO_RCVBUF");
  }
  puts("ready");
  fflush(stdout);
  return fd;
}

/* The time at which a packet reached the socket. */
static int64_t arrival_ns(struct msghdr *message) {
  struct cmsghdr *control = CMSG_FIRSTHDR(message);
  struct timespec t;
  if (control == NULL || control->cmsg_type != SCM_TIMESTAMPNS) errx(1, "the kernel gave no time stamp");
  memcpy(&t, CMSG_DATA(control), sizeof t);
  return ns_of(t);
}

/* The number of packets that the socket had no room for. */
static uint32_t refused_by(int fd) {
  uint32_t meminfo[SK_MEMINFO_VARS] = {0};
  socklen_t size = sizeof meminfo;
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, meminfo, &size) < 0) err(1, "SO_MEMINFO");
  return meminfo[SK_MEMINFO_DROPS];
}

/* Waits for a packet. Returns false at the end of standard input. */
static bool wait_for_packet(int fd) {
  for (;;) {
    struct pollfd watched[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    if (poll(watched, 2, -1) < 0 && errno != EINTR) err(1, "poll");
    if (watched[0].revents & POLLIN) return true;
    if (watched[1].revents != 0) return false;
  }
}

static int command_send(const char *host, const char *port, double seconds, double rate, int octets) {
  static struct batch batch;
  if (octets < (int)sizeof(struct packet) || octets > MAX_OCTETS) errx(2, "OCTETS must be 18 to %d", MAX_OCTETS);
  prepare(&batch, (size_t)octets);
  int fd = dial(host, port);
  uint64_t sequence = 0;
  int64_t start = now_ns(), now = start, end = start + (int64_t)(seconds * NS_PER_S);
  int64_t forgiven_ns = 0;
  const uint16_t run = (uint16_t)getpid();
  for (; now < end; now = now_ns()) {
    int due = BATCH;
    if (rate > 0) {
      double owed = rate * (double)(now - start - forgiven_ns) / NS_PER_S - (double)sequence;
      double lag_ns = (owed - 1) / rate * NS_PER_S - MAX_LAG_NS;
      if (lag_ns > 0) forgiven_ns += (int64_t)lag_ns;
      if (owed < 1) {
        nanosleep(&(struct timespec){0, 20000}, NULL);
        continue;
      }
      if (owed < due) due = (int)owed;
    }
    const int64_t stamped_ns = stamp_ns();
    for (int i = 0; i < due; i++) batch.packets[i].packet = (struct packet){run, sequence + (uint64_t)i, stamped_ns};
    int sent = sendmmsg(fd, batch.messages, (unsigned)due, 0);
    if (sent > 0) sequence += (uint64_t)sent;
    else if (errno != ENOBUFS && errno != EINTR && errno != ECONNREFUSED) err(1, "send");
  }
  printf("{\"sent\":%llu,\"seconds\":%.6f}\n", (unsigned long long)sequence, (double)(now - start) / NS_PER_S);
  return 0;
}

static int command_receive(const char *port, double late_ms) {
  static struct batch batch;
  static uint64_t seen[MAX_PACKETS / 64];
  prepare(&batch, MAX_OCTETS);
  uint64_t received = 0, late = 0, reordered = 0, duplicates = 0, highest = 0;
  double delay_sum_ns = 0;
  int64_t late_ns = (int64_t)(late_ms * 1e6);
  int fd = serve(port);
  while (wait_for_packet(fd)) {
    for (int i = 0; i < BATCH; i++) {
      batch.messages[i].msg_hdr.msg_control = batch.control[i];
      batch.messages[i].msg_hdr.msg_controllen = sizeof batch.control[i];
    }
    int count = recvmmsg(fd, batch.messages, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
      const int64_t now = arrival_ns(&batch.messages[i].msg_hdr);
      const struct packet *packet = &batch.packets[i].packet;
      if (batch.messages[i].msg_len < sizeof *packet || packet->sequence >= MAX_PACKETS) continue;
      uint64_t *word = &seen[packet->sequence / 64], bit = 1ULL << (packet->sequence % 64);
      if (*word & bit) {
        duplicates++;
        continue;
      }
      *word |= bit;
      if (now - packet->sent_ns > late_ns) {
        late++;
        continue;
      }
      if (received > 0 && packet->sequence < highest) reordered++;
      else highest = packet->sequence;
      received++;
      delay_sum_ns += (double)(now - packet->sent_ns);
    }
  }
  printf("{\"received\":%llu,\"late\":%llu,\"reordered\":%llu,\"duplicates\":%llu,\"refused\":%u,\"meanDelayUs\":%.1f}\n",
         (unsigned long long)received, (unsigned long long)late, (unsigned long long)reordered,
         (unsigned long long)duplicates, refused_by(fd), received > 0 ? delay_sum_ns / (double)received / 1e3 : 0);
  return 0;
}

static int command_echo(const char *port) {
  struct packet packet;
  struct sockaddr_in peer;
  uint64_t echoed = 0;
  int fd = serve(port);
  while (wait_for_packet(fd)) {
    socklen_t length = sizeof peer;
    ssize_t taken = recvfrom(fd, &packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&peer, &length);
    if (taken != sizeof packet) continue;
    if (sendto(fd, &packet, sizeof packet, 0, (struct sockaddr *)&peer, length) == sizeof packet) echoed++;
  }
  printf("{\"echoed\":%llu}\n", (unsigned long long)echoed);
  return 0;
}

static int by_value(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double quantile_us(const int64_t *sorted, size_t count, double q) {
  return count == 0 ? 0 : (double)sorted[(size_t)(q * (double)(count - 1) + 0.5)] / 1e3;
}

static void take_echoes(int fd, int64_t *samples, size_t *count) {
  struct packet packet;
  while (recv(fd, &packet, sizeof packet, MSG_DONTWAIT) == sizeof packet) {
    if (*count < MAX_SAMPLES) samples[(*count)++] = now_ns() - packet.sent_ns;
  }
}

static int command_rtt(const char *host, const char *port, double seconds, double interval_us) {
  static int64_t samples[MAX_SAMPLES];
  const int64_t patience_ns = NS_PER_S;
  size_t count = 0;
  uint64_t sent = 0;
  int fd = dial(host, port);
  int64_t start = now_ns(), next = start, end = start + (int64_t)(seconds * NS_PER_S);
  for (;;) {
    int64_t now = now_ns();
    if (now >= end + patience_ns || (now >= end && count >= sent)) break;
    if (now >= next && now < end) {
      struct packet packet = {0, sent, now_ns()};
      if (send(fd, &packet, sizeof packet, 0) == sizeof packet) sent++;
      next += (int64_t)(interval_us * 1e3);
      if (next < now) next = now;
    }
    int64_t until = now < end ? next : end + patience_ns;
    int64_t rest = until - now_ns();
    if (rest < 0) rest = 0;
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    struct timespec timeout = {rest / NS_PER_S, rest % NS_PER_S};
    if (ppoll(&watched, 1, &timeout, NULL) > 0) take_echoes(fd, samples, &count);
  }
  qsort(samples, count, sizeof *samples, by_value);
  printf("{\"sent\":%llu,\"received\":%zu,\"minUs\":%.1f,\"medianUs\":%.1f,\"p99Us\":%.1f,\"maxUs\":%.1f}\n",
         (unsigned long long)sent, count, quantile_us(samples, count, 0), quantile_us(samples, count, 0.5),
         quantile_us(samples, count, 0.99), quantile_us(samples, count, 1));
  return 0;
}

int main(int argc, char **argv) {
  /* By default the kernel may lengthen each sleep by 50 µs. */
  if (prctl(PR_SET_TIMERSLACK, 1UL) < 0) warn("PR_SET_TIMERSLACK");
  const char *command = argc > 1 ? argv[1] : "";
  if (strcmp(command, "send") == 0 && argc == 7) {
    return command_send(argv[2], argv[3], atof(argv[4]), atof(argv[5]), atoi(argv[6]));
  }
  if (strcmp(command, "receive") == 0 && argc == 4) return command_receive(argv[2], atof(argv[3]));
  if (strcmp(command, "echo") == 0 && argc == 3) return command_echo(argv[2]);
  if (strcmp(command, "rtt") == 0 && argc == 6) return command_rtt(argv[2], argv[3], atof(argv[4]), atof(argv[5]));
  fprintf(stderr, "usage: packets send ADDRESS PORT SECONDS RATE OCTETS | receive PORT LATE_MS | echo PORT |"
                  " rtt ADDRESS PORT SECONDS INTERVAL_US\n");
  return 2;
}
