// What the data path asks of the program that it runs in. Node is one such host (native/node), the fuzzer has another.
//
// The host owns the event loop. It calls the functions of datapath.h from one thread, and defines the functions below. Each
// of these callbacks may call any function of datapath.h before it returns, and may close any descriptor, its own included.
// It must not free a descriptor.
#ifndef ETHERWS_HOST_H
#define ETHERWS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptor;
struct host;  // one for each datapath; the host defines its members
struct slab;

// Events of a descriptor, or'ed. READABLE and WRITABLE are those of poll(2). LOST: the device dropped frames that flows had
// sent to it; the shared tally counts them.
enum { READABLE = 1, WRITABLE = 2, LOST = 4 };

// Whether the datapath goes on after a callback. Deferred code of the program (Node's nextTick and promises) may run right
// after LAST_OF_TURN. After MORE_FOLLOWS it has to wait for the end of the turn: it would find batches that are half
// forwarded, and streams that are half read.
enum host_call { MORE_FOLLOWS, LAST_OF_TURN };

// From now on calls datapath_ready while the descriptor is ready for one of `events`; 0: never. Only called for watched
// descriptors. Returns 0 or -errno.
int host_watch(struct descriptor *descriptor, int events);

// The time of the present turn of the loop, in ms, monotonic.
uint64_t host_now_ms(struct host *host);

// The present time, in ns, monotonic.
uint64_t host_now_ns(struct host *host);

// Calls datapath_timer once, after so many ms.
void host_start_timer(struct host *host, uint32_t after_ms);

// Allocates a slab for streams; the program sees its octets, too. Returns false without memory.
bool host_new_slab(struct host *host, size_t bytes, struct slab *slab);
void host_free_slab(struct host *host, struct slab *slab);

// The descriptor is ready for `status`, or has failed with -errno. `count` is, for a device that the datapath reads: the
// number of frames in the shared slab; for a READABLE tunnel: 0 at the end of its stream, or -errno; for a WRITABLE
// tunnel: the octets that wait.
void host_ready(struct descriptor *descriptor, int status, int count, enum host_call call);

// Octets of a tunnel that no flow took.
struct octets {
  const struct slab *slab;
  uint32_t frames;  // number of frames in the shared list (datapath_share_frame_list)
  bool has_other;   // after these frames comes a message of another kind
  uint32_t other_start;
  uint32_t other_length;
  size_t position;  // [position, end) is not parsed yet
  size_t end;
};

struct octets_answer {
  size_t consumed;  // octets from here on come again, in front of what is read next
  bool is_whole;    // false: inside a fragmented message; all octets go to the host until it is complete
};

// Returns false when the program threw: then all octets count as consumed. is_from_loop: false inside of tunnel_read and
// tunnel_feed, which return a failure to their caller.
bool host_octets(struct descriptor *descriptor, const struct octets *octets, bool is_from_loop,
                 struct octets_answer *answer);

// The host's answer to a record that is not application data: open no more, go on, or go on inside a handshake message,
// where application data is an error (RFC 8446, 5.1).
enum record_answer { STOP, GO_ON, GO_ON_INSIDE_A_MESSAGE };

// A status beside content types: the peer's key has sealed as many records as it may (RFC 8446, 5.5).
enum { PEER_KEY_WORN = 256 };

// Tells of a record that is not application data. `status`: its content type; minus a fatal alert, where a record could not
// be opened; or PEER_KEY_WORN. has_data: application data came since the last call.
enum record_answer host_record(struct descriptor *descriptor, int status, const uint8_t *content, size_t length,
                               bool has_data);

#endif
