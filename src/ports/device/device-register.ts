import { EtherwsError } from '../../errors.ts';

/** What a port has: a device by its number, or the name that it waits for. */
interface Claim {
  readonly index: number | undefined;
  readonly name: string;
}

/**
 * Which devices are ports of one switch: two ports on one device would hand each frame to each other without end. A
 * device is known by its number (ifindex), so that renaming it changes nothing.
 */
export class DeviceRegister {
  readonly #claims = new Map<object, Claim>();

  /**
   * Says whether a device is free, before anything of it is opened.
   * @param index undefined: there is no such device yet
   * @param holder whose own claim does not count
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

  /** Replaces what `holder` had. @throws EtherwsError DEVICE_BUSY; then it has what it had */
  claim(holder: object, index: number, name: string): void {
    this.check(index, name, holder);
    this.#claims.set(holder, { index, name });
  }

  /** The device is gone, and its name is kept for `holder`. */
  keepName(holder: object, name: string): void {
    this.#claims.set(holder, { index: undefined, name });
  }

  /** Idempotent. */
  release(holder: object): void {
    this.#claims.delete(holder);
  }
}
