// What the data path asks of the program that it runs in. Node is one such host (native/node), the fuzzer has another.
//
// The host owns the event loop. It calls the doors of datapath.h from one thread, and is called back by the functions
// that stand here, which it defines. A callback that hands something to the host may call any of those doors before it
// returns, closing the descriptor that it is about included. What a callback may not do is free a descriptor.
#ifndef ETHERWS_HOST_H
#define ETHERWS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptor;
struct host;  // one for each datapath; what is in it is the host's
struct slab;

// What a descriptor is ready for, or'ed; poll(2)'s readiness, but for LOST: frames that went to this device by flows were
// lost, and stand in the shared tally.
enum { READABLE = 1, WRITABLE = 2, LOST = 4 };

// Whether anything of the datapath is still to run behind a callback. What the program deferred (Node's nextTick and
// promises) may run at once behind the last call; behind others it waits for the end of the turn, since it would meet
// batches that are half forwarded, and streams that are half read.
enum host_call { MORE_FOLLOWS, LAST_OF_TURN };

// From now on datapath_ready is called while the descriptor is ready for one of `events`; 0: never. Only for descriptors
// that are watched. Returns 0 or -errno.
int host_watch(struct descriptor *descriptor, int events);

// The time of the present turn of the loop, in ms from any point.
uint64_t host_now_ms(struct host *host);

// The time now, from any point.
uint64_t host_now_ns(struct host *host);

// Calls datapath_timer once, so much later.
void host_start_timer(struct host *host, uint32_t after_ms);

// Allocates what streams are read into, which the program sees, too. Returns false without memory.
bool host_new_slab(struct host *host, size_t bytes, struct slab *slab);
void host_free_slab(struct host *host, struct slab *slab);

// The descriptor is ready for `status`, or has failed with -errno. `count`: how many frames are in the shared slab, of a
// device that is read here; 0 or -errno where a tunnel's stream has ended
// or failed; how many octets of a tunnel wait, where it is WRITABLE.
void host_ready(struct descriptor *descriptor, int status, int count, enum host_call call);

// Octets of a tunnel that the datapath does not forward by itself.
struct octets {
  const struct slab *slab;
  uint32_t frames;  // these many stand in the shared list
  bool has_other;   // behind them a message that is no plain run of frames
  uint32_t other_start;
  uint32_t other_length;
  size_t position;  // from here to `end` nothing has been taken apart
  size_t end;
};

struct octets_answer {
  size_t consumed;  // what stands from here on comes again, in front of what is read next
  bool is_whole;    // false: a message is coming in fragments, and all octets are the host's until it is over
};

// Returns false when the program gave no answer: then all octets count as consumed.
// is_from_loop: not from inside of tunnel_read or tunnel_feed, whose caller sees a failure by itself.
bool host_octets(struct descriptor *descriptor, const struct octets *octets, bool is_from_loop,
                 struct octets_answer *answer);

// What becomes of a TLS stream behind a record that is no application data.
enum record_answer { STOP, GO_ON, GO_ON_INSIDE_A_MESSAGE };

// Beside content types: the peer's key has sealed as many records as it may.
enum { PEER_KEY_WORN = 256 };

// A record that is no data: its content type and content; a fatal alert, negative; or PEER_KEY_WORN. has_data: application
// data came since the last call.
enum record_answer host_record(struct descriptor *descriptor, int status, const uint8_t *content, size_t length,
                               bool has_data);

#endif
