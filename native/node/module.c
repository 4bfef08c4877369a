// What the addon offers to src/ports/native.ts. It opens, reads, writes and asks; it decides nothing.
#include "addon.h"

// Goes up with every change of what an export takes, gives or means, so that a binary of
// older sources is noticed before it is called. src/ports/load-addon.ts has the same number.
enum { INTERFACE_VERSION = 21 };

static const struct export EXPORTS[] = {
    {"openTap", open_tap},
    {"openPacketSocket", open_packet_socket},
    {"packetSocketsTakeUso", packet_sockets_take_uso},
    {"openLinkEvents", open_link_events},
    {"watch", descriptor_watch},
    {"pause", descriptor_pause},
    {"resume", descriptor_resume},
    {"await", descriptor_await},
    {"close", descriptor_close},
    {"adoptSocket", adopt_socket},
    {"endStream", end_stream},
    {"readFrames", read_frames},
    {"writeFrames", write_frames},
    {"takeFaultExample", take_fault_example},
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
    {"readSocketOption", read_socket_option},
    {"readCongestionControl", read_congestion_control},
    {"setCongestionControl", set_congestion_control},
    {"tryCongestionControl", try_congestion_control},
    {"readPath", read_path},
    {"takeHasWaited", take_has_waited},
    {"lookUpName", look_up_name},
    {"openTcpSocket", open_tcp_socket},
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

napi_value add_exports(napi_env env, napi_value exports, const struct export *table, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    CHECK_NAPI(env, napi_create_function(env, table[i].name, NAPI_AUTO_LENGTH, table[i].function, NULL, &function));
    CHECK_NAPI(env, napi_set_named_property(env, exports, table[i].name, function));
  }
  return exports;
}

NAPI_MODULE_INIT() {
  if (add_exports(env, exports, EXPORTS, sizeof EXPORTS / sizeof *EXPORTS) == NULL) return NULL;
  if (!set_number(env, exports, "interfaceVersion", INTERFACE_VERSION)) return NULL;
  if (init_instance(env, exports) == NULL || init_linger(env, exports) == NULL ||
      init_interlude(env, exports) == NULL || init_fast_path(env, exports) == NULL ||
      init_flows(env, exports) == NULL || init_send(env, exports) == NULL || init_messages(env, exports) == NULL ||
      init_tls(env, exports) == NULL) {
    return NULL;
  }
  return init_offload(env, exports);
}
