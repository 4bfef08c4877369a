/** The prefix of the user names that `localUserName` makes. Authenticated users must not have such a name. */
const PREFIX = 'uid:';

/** The name, in policies and logs, of a user of this host whom the kernel identified and no credentials. */
export function localUserName(uid: number): string {
  return `${PREFIX}${uid}`;
}

/** Whether this name of an authenticated user would be mistaken for a user of this host. */
export function isLocalUserName(name: string): boolean {
  return name.startsWith(PREFIX);
}
