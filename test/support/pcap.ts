const LINKTYPE_ETHERNET = 1;
const SNAPSHOT_BYTES = 262_144;

/** A capture file of these frames, for independent programs such as tshark (pcap 2.4, draft-ietf-opsawg-pcap). */
export function pcapOf(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(SNAPSHOT_BYTES, 16);
  header.writeUInt32LE(LINKTYPE_ETHERNET, 20);
  const records = frames.flatMap((frame, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index, 0);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([header, ...records]);
}

/** The lengths of the frames in a capture file of the format of `pcapOf`. */
export function lengthsInPcap(file: Buffer): number[] {
  const lengths: number[] = [];
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) lengths.push(file.readUInt32LE(at + 12));
  return lengths;
}
