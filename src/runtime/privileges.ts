import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';

/** The user and group that the process changes to after its sockets are open. */
export interface Account {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Looks up a user and a group.
 * @throws EtherwsError ARGUMENT_INVALID for an unknown name, or if the process is not root; ADDON_MISSING
 */
export function findAccount(user: string, group: string | undefined): Account {
  let ids: [number, number];
  try {
    ids = nativeAddon().lookUpUser(user, group ?? '');
  } catch (error) {
    if (error instanceof EtherwsError) throw error;
    const isGroup = (error as { syscall?: unknown }).syscall === 'getgrnam';
    const what = isGroup ? `--group: there is no group "${group}"` : `--user: there is no user "${user}"`;
    throw new EtherwsError('ARGUMENT_INVALID', what, {
      cause: error,
      hint: 'Give a name of /etc/passwd or /etc/group',
    });
  }
  const [uid, gid] = ids;
  if (process.getuid?.() !== 0) {
    const hint = `Start the switch as root, or as ${user} without --user`;
    throw new EtherwsError('ARGUMENT_INVALID', '--user: only root can become another user', { hint });
  }
  return { user, uid, gid };
}

/**
 * Changes to that user irrevocably. Only the capabilities that devices need stay:
 * CAP_NET_ADMIN and CAP_NET_RAW. Files that are opened later
 * (certificates and keys on SIGHUP, users, the policy) must be readable for that user.
 * @throws EtherwsError PERMISSION_DENIED; then the process must end
 */
export function becomeAccount({ user, uid, gid }: Account): void {
  try {
    nativeAddon().becomeUser(user, uid, gid);
  } catch (error) {
    const reason = (error as Error).message;
    throw new EtherwsError('PERMISSION_DENIED', `Cannot become the user ${user}: ${reason}`, {
      cause: error,
      hint: 'It takes root with CAP_SETUID and CAP_SETGID',
    });
  }
}

/** Sets PR_SET_NO_NEW_PRIVS: no program that this process executes gains rights, such as by set-user-ID. */
export function forbidNewPrivileges(): void {
  try {
    nativeAddon().forbidNewPrivileges();
  } catch {
    // The addon was not built. Then there are no devices, and no reason to run as root.
  }
}
