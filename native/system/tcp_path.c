#include "tcp_path.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

bool tcp_path_read(int fd, struct tcp_path *path) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  *path = (struct tcp_path){info.tcpi_min_rtt, info.tcpi_rtt, info.tcpi_rttvar, info.tcpi_notsent_bytes};
  return true;
}
