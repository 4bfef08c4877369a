/**
 * How a user of this host is named who was known by the kernel, not by credentials: in policies and logs. A name that
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
