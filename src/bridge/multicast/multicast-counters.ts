/** What snooping in a network has counted since it was switched on. */
export class MulticastCounters {
  /** Messages that were received: general and specific queries. */
  queries = 0;
  /** Reports of IGMPv1, IGMPv2 and MLDv1, and those of IGMPv3 and MLDv2, each with one or more records. */
  reports = 0;
  /** Leaves of IGMPv2, dones of MLDv1. */
  leaves = 0;
  /** PIM hellos, and advertisements and terminations of multicast router discovery. */
  routerMessages = 0;
  /** Messages that were discarded, since their checksums or lengths are wrong. */
  malformed = 0;
  /** Memberships that were refused at a limit of a port. */
  refusedByPort = 0;
  /** Memberships that were refused at a limit of the network. */
  refusedByNetwork = 0;
  /** Records with more sources than are kept: their hosts get frames of all sources. */
  sourceOverflows = 0;
  /** Queries that the switch sent. */
  queriesSent = 0;
}
