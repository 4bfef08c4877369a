// The exports of the addon (src/native/addon.ts). It makes no decision: all policy is in JavaScript.
#include "../system/system.h"
#include "bindings.h"
#include "busy_poll.h"
#include "environment.h"
#include "handle.h"
#include "timer.h"
#include "values.h"

// Raised with every change of the arguments, results or meaning of an export, so that a binary of older sources is
// refused before it is called. src/native/load-addon.ts has the same number.
enum { INTERFACE_VERSION = 26 };

static const struct export SYSTEM[] = {
    {"openLinkEvents", open_link_events},
    {"readLinkEvents", read_link_events},
    {"readLink", read_link},
    {"changeLink", change_link},
    {"setLinkAddress", set_link_address},
    {"moveLink", move_link},
    {"locateTap", locate_tap},
    {"listAddresses", list_addresses},
    {"addAddress", add_address},
    {"deleteAddress", delete_address},
    {"setSocketOption", set_socket_option},
    {"readCongestionControl", read_congestion_control},
    {"setCongestionControl", set_congestion_control},
    {"tryCongestionControl", try_congestion_control},
    {"readPath", read_path},
    {"lookUpName", look_up_name},
    {"openTcpSocket", open_tcp_socket},
    {"sendUnixDatagram", send_unix_datagram},
    {"lookUpUser", look_up_user},
    {"becomeUser", become_user},
    {"forbidNewPrivileges", forbid_new_privileges},
    {"redirectDescriptor", redirect_descriptor},
    {"readPeerUser", read_peer_user},
    {"lookUpGroup", look_up_group},
    {"describeUser", describe_user},
    {"trimMemory", trim_memory},
    {"wipeFreedMemory", wipe_freed_memory},
};

NAPI_MODULE_INIT() {
  static napi_value (*const DOORS[])(napi_env, napi_value) = {
      init_environment, init_busy_poll, init_timer, init_handles,  init_devices, init_streams,
      init_tunnels,     init_send,      init_flows, init_messages, init_tls,     init_offload,
  };
  if (!set_number(env, exports, "interfaceVersion", INTERFACE_VERSION)) return NULL;
  if (add_exports(env, exports, SYSTEM, sizeof SYSTEM / sizeof *SYSTEM) == NULL) return NULL;
  for (size_t i = 0; i < sizeof DOORS / sizeof *DOORS; i++) {
    if (DOORS[i](env, exports) == NULL) return NULL;
  }
  return exports;
}
