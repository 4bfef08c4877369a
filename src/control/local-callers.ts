import { localUserName } from '../auth/local-user.ts';
import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import type { CallerOrigin } from '../net/caller-origin.ts';
import type { Admission } from './admission.ts';

/** A user of the host, from the system's user database. */
interface Account {
  /** empty if there is no such user */
  readonly name: string;
  readonly groups: readonly number[];
}

interface Group {
  readonly name: string;
  readonly gid: number;
}

/** For how long an account is cached: membership may change, and a look-up may go over the network. */
const ACCOUNT_MS = 10_000;
const MOST_ACCOUNTS = 256;

/**
 * Admits users of this host to the control API without credentials: root, the switch's own user, and the members of
 * one group.
 */
export class LocalCallers {
  readonly #group: Group | undefined;
  readonly #accounts = new Map<number, { readonly account: Promise<Account>; readonly atMs: number }>();

  /**
   * @param group the name of `--ctlgroup`
   * @throws EtherwsError ARGUMENT_INVALID for an unknown group, ADDON_MISSING
   */
  constructor(group: string | undefined) {
    this.#group = group === undefined ? undefined : { name: group, gid: gidOf(group) };
  }

  get gid(): number | undefined {
    return this.#group?.gid;
  }

  /** Never rejects. */
  async admit(origin: CallerOrigin): Promise<Admission> {
    // The operator opened the control API to other hosts without credentials; a warning was logged at the start.
    if (origin.kind === 'elsewhere') return { user: null };
    if (origin.kind === 'forwarded') return refusal(FORWARDED, `${ALONE}, or give the control API --ctlhtpasswd FILE`);
    const { uid } = origin;
    if (uid === undefined) return refusal(UNKNOWN, `${ALONE}, and keep the connection open until the answer is there`);
    const isStillValid = async (): Promise<boolean> => !('refusal' in (await this.admit(origin)));
    const admitted = { user: localUserName(uid), isStillValid };
    if (uid === 0 || uid === process.geteuid?.()) return admitted;
    const { name, groups } = await this.#account(uid);
    if (this.#group !== undefined && groups.includes(this.#group.gid)) return admitted;
    const called = name === '' ? `The user with uid ${uid}` : `The user ${name} (uid ${uid})`;
    return refusal(`${called} may not control this switch`, this.#advice());
  }

  #advice(): string {
    const group =
      this.#group === undefined ? 'start the switch with --ctlgroup GROUP' : `join the group ${this.#group.name}`;
    return `Call it as root (sudo), or ${group}; --ctlhtpasswd FILE asks for passwords instead`;
  }

  #account(uid: number): Promise<Account> {
    const known = this.#accounts.get(uid);
    const nowMs = performance.now();
    if (known !== undefined && nowMs - known.atMs < ACCOUNT_MS) return known.account;
    if (this.#accounts.size >= MOST_ACCOUNTS) this.#accounts.clear();
    const account = describe(uid);
    this.#accounts.set(uid, { account, atMs: nowMs });
    return account;
  }
}

const ALONE = 'Call the switch directly from its host';
const FORWARDED = 'The request came through a proxy, and its sender has shown no credentials';
const UNKNOWN = 'The kernel does not tell which user has sent the request';

function refusal(message: string, hint: string): Admission {
  return { refusal: { status: 403, code: 'REQUEST_REFUSED', message, hint } };
}

/** Never rejects. */
async function describe(uid: number): Promise<Account> {
  try {
    return await nativeAddon().describeUser(uid);
  } catch {
    return { name: '', groups: [] };
  }
}

function gidOf(group: string): number {
  try {
    return nativeAddon().lookUpGroup(group);
  } catch (error) {
    if (error instanceof EtherwsError) throw error;
    throw new EtherwsError('ARGUMENT_INVALID', `--ctlgroup: there is no group "${group}"`, {
      cause: error,
      hint: 'Give a name of /etc/group',
    });
  }
}
