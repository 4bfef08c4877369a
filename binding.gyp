{
  "targets": [
    {
      "target_name": "etherws",
      "sources": ["native/module.c"],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags": ["-O3", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"],
      "cflags_c": ["-std=gnu11"]
    }
  ]
}
