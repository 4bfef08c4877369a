// Network namespaces other than the process's own: which one a TAP device is in, and talking to rtnetlink there.
#ifndef ETHERWS_NETNS_H
#define ETHERWS_NETNS_H

// A file descriptor of the namespace that a TAP device is in, which the caller closes; or -errno.
int netns_of_tap(int tap_fd);

// The rtnetlink socket of a namespace. Returns its file descriptor, or -errno: EPERM without CAP_SYS_ADMIN.
int netns_route_socket(int netns_fd);

#endif
