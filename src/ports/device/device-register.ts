import { EtherwsError } from '../../errors.ts';

/** What one port holds: a device by its ifindex, or the name of the device that it waits for. */
interface Claim {
  readonly index: number | undefined;
  readonly name: string;
}

/**
 * The devices that are ports of one switch. Two ports on one device would forward each frame to each other without
 * end. The key is the ifindex, which a rename does not change.
 */
export class DeviceRegister {
  readonly #claims = new Map<object, Claim>();

  /**
   * Checks that no other port holds a device; to be called before the device is opened.
   * @param index ifindex; undefined: the device does not exist yet
   * @param holder the port whose own claim is ignored
   * @throws EtherwsError DEVICE_BUSY
   */
  check(index: number | undefined, name: string, holder?: object): void {
    for (const [other, claim] of this.#claims) {
      if (other === holder) continue;
      if (claim.index === undefined ? claim.name !== name : claim.index !== index) continue;
      const state = claim.index === undefined ? `, which waits for it` : '';
      throw new EtherwsError('DEVICE_BUSY', `Device "${name}" is a port of this switch already${state}`, {
        hint: 'See which one: etherws ctl listport. Delete that one first, or take another device',
      });
    }
  }

  /** Replaces the claim of `holder`. @throws EtherwsError DEVICE_BUSY; the old claim then stays */
  claim(holder: object, index: number, name: string): void {
    this.check(index, name, holder);
    this.#claims.set(holder, { index, name });
  }

  /** The device is gone; reserves its name for `holder`. */
  keepName(holder: object, name: string): void {
    this.#claims.set(holder, { index: undefined, name });
  }

  /** Idempotent. */
  release(holder: object): void {
    this.#claims.delete(holder);
  }
}
