// Network namespaces of TAP devices, and rtnetlink in them.
#ifndef ETHERWS_NETNS_H
#define ETHERWS_NETNS_H

// Returns a file descriptor of the namespace that a TAP device is in, which the caller closes; or -errno.
int netns_of_tap(int tap_fd);

// Opens an rtnetlink socket in a namespace. Returns its file descriptor, or -errno: -EPERM without CAP_SYS_ADMIN.
int netns_route_socket(int netns_fd);

#endif
