// Functions of the system: links, addresses, sockets, names, users, memory. devices.ts, links.ts, process.ts,
// sockets.ts and streams.ts of src/native/ type them. No frame passes them, so they are functions of Node-API
// themselves.
#ifndef ETHERWS_SYSTEM_H
#define ETHERWS_SYSTEM_H

#include <node_api.h>

// link.c, address.c, link_events.c, tap_location.c
napi_value read_link(napi_env env, napi_callback_info info);
napi_value change_link(napi_env env, napi_callback_info info);
napi_value set_link_address(napi_env env, napi_callback_info info);
napi_value move_link(napi_env env, napi_callback_info info);
napi_value list_addresses(napi_env env, napi_callback_info info);
napi_value add_address(napi_env env, napi_callback_info info);
napi_value delete_address(napi_env env, napi_callback_info info);
napi_value open_link_events(napi_env env, napi_callback_info info);
napi_value read_link_events(napi_env env, napi_callback_info info);
napi_value locate_tap(napi_env env, napi_callback_info info);

// socket_options.c, congestion.c, tcp_socket.c, unix_datagram.c
napi_value set_socket_option(napi_env env, napi_callback_info info);
napi_value read_congestion_control(napi_env env, napi_callback_info info);
napi_value set_congestion_control(napi_env env, napi_callback_info info);
napi_value try_congestion_control(napi_env env, napi_callback_info info);
napi_value read_path(napi_env env, napi_callback_info info);
napi_value open_tcp_socket(napi_env env, napi_callback_info info);
napi_value send_unix_datagram(napi_env env, napi_callback_info info);

// name_lookup.c
napi_value look_up_name(napi_env env, napi_callback_info info);

// privileges.c, callers.c
napi_value look_up_user(napi_env env, napi_callback_info info);
napi_value become_user(napi_env env, napi_callback_info info);
napi_value forbid_new_privileges(napi_env env, napi_callback_info info);
napi_value redirect_descriptor(napi_env env, napi_callback_info info);
napi_value read_peer_user(napi_env env, napi_callback_info info);
napi_value look_up_group(napi_env env, napi_callback_info info);
napi_value describe_user(napi_env env, napi_callback_info info);

// memory.c
napi_value trim_memory(napi_env env, napi_callback_info info);
napi_value wipe_freed_memory(napi_env env, napi_callback_info info);

#endif
