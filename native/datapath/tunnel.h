// A stream whose octets are WebSocket messages that carry frames, taken apart and made here.
#ifndef ETHERWS_TUNNEL_H
#define ETHERWS_TUNNEL_H

#include "stream.h"
#include "window.h"

struct tls_stream;

struct tunnel {
  bool is_masking;             // we are the client of the opening handshake
  bool is_batched;             // docs/reference/protocol.md; else one frame a message
  bool is_whole;               // no message is coming in fragments
  uint32_t max_message_bytes;  // the longest that is taken
  struct unfinished unfinished;
  struct tls_stream *tls;  // NULL for octets that go as they are
};

// From now on what is read from the stream is taken apart. Returns 0 or -errno.
int tunnel_open(struct stream *stream, bool is_masking, bool is_batched, uint32_t max_message_bytes);

// From now on the tunnel's octets are records of TLS 1.3; `early` are those that were read already. The keys, which are
// the host's, stand in tunnel->tls. Returns 0 or -errno.
int tunnel_start_tls(struct stream *stream, uint64_t records_a_key, const uint8_t *early, size_t length);

// Frees all of it.
void tunnel_free(struct stream *stream);

// How many octets are kept of messages that are not all there, or have not all left.
size_t tunnel_held(const struct stream *stream);

#endif
