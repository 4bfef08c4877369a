/** Codes of pcapng files (draft-ietf-opsawg-pcapng) that are both written and read. */

/** Types of blocks. */
export const BLOCK = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  interfaceStatistics: 5,
  enhancedPacket: 6,
} as const;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Options: the comment of all blocks, then those of each kind. */
export const COMMENT = 1;
export const SECTION = { userApplication: 4 } as const;
export const INTERFACE = { name: 2, description: 3, filter: 11 } as const;
export const PACKET = { flags: 2, dropCount: 4 } as const;
export const STATISTICS = { startTime: 2, endTime: 3, received: 4, dropped: 5, accepted: 6, delivered: 8 } as const;
/** The direction in epb_flags. */
export const DIRECTION_MASK = 3;
export const INBOUND = 1;
export const OUTBOUND = 2;
