{
  "targets": [
    {
      "target_name": "etherws",
      "sources": [
        "native/module.c",
        "native/arguments.c",
        "native/errors.c",
        "native/descriptor.c",
        "native/instance.c",
        "native/linger.c",
        "native/interlude.c",
        "native/egress.c",
        "native/fast-path.c",
        "native/fast-path-binding.c",
        "native/tunnel.c",
        "native/sealed-tunnel.c",
        "native/shortcuts/shortcuts.c",
        "native/frames.c",
        "native/tap.c",
        "native/packet_socket.c",
        "native/route.c",
        "native/link.c",
        "native/address.c",
        "native/link_events.c",
        "native/socket_options.c",
        "native/congestion.c",
        "native/tcp-path.c",
        "native/privileges.c",
        "native/memory.c",
        "native/stream.c",
        "native/tls-binding.c",
        "native/tls/records.c",
        "native/message-binding.c",
        "native/websocket/messages.c",
        "native/offload-binding.c",
        "native/offload/check.c",
        "native/offload/checksum.c",
        "native/offload/coalesce.c",
        "native/offload/locate.c",
        "native/offload/merge.c",
        "native/offload/segment.c"
      ],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags": ["-O3", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
      "cflags_c": ["-std=gnu11"]
    }
  ]
}
