// A tunnel: a stream of WebSocket messages (RFC 6455) that carry frames.
#ifndef ETHERWS_TUNNEL_H
#define ETHERWS_TUNNEL_H

#include "stream.h"
#include "window.h"

struct tls_stream;

struct tunnel {
  bool is_masking;  // our messages are masked: we are the client of the opening handshake
  bool is_batched;  // the batched wire (docs/reference/protocol.md); false: the raw wire, one frame a message
  bool is_whole;    // not inside a fragmented message
  uint32_t max_message_bytes;  // longer messages go to the host, which refuses them
  struct unfinished unfinished;
  struct tls_stream *tls;  // NULL: no TLS
};

// From now on octets from the stream are parsed as messages. Returns 0 or -errno.
int tunnel_open(struct stream *stream, bool is_masking, bool is_batched, uint32_t max_message_bytes);

// From now on the stream has records of TLS 1.3. `early`: ciphertext that was read before. The caller then sets the keys,
// which stay the host's, by tls_stream_set_keys. Returns 0 or -errno.
int tunnel_start_tls(struct stream *stream, uint64_t records_a_key, const uint8_t *early, size_t length);

// Frees the tunnel of a stream.
void tunnel_free(struct stream *stream);

// The number of octets that it holds: unfinished messages, and octets that wait to be sent.
size_t tunnel_held(const struct stream *stream);

#endif
