/**
 * The name of a user of this host that the kernel, not credentials, made known: in policies and logs. A name that
 * credentials prove never begins like this.
 */
const PREFIX = 'uid:';

export function localUserName(uid: number): string {
  return `${PREFIX}${uid}`;
}

/** Whether credentials that prove this name would pass for a user of the host. */
export function isLocalUserName(name: string): boolean {
  return name.startsWith(PREFIX);
}
