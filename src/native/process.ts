/** The process and the system's users. */
export interface ProcessDoor {
  /** @param group empty: the user's own. @returns uid and gid. @throws ENOENT */
  lookUpUser(user: string, group: string): [uid: number, gid: number];
  /** @throws ENOENT */
  lookUpGroup(group: string): number;
  /** From the system's user database, in another thread; a name that is empty and no groups where there is no such user. */
  describeUser(uid: number): Promise<{ readonly name: string; readonly groups: readonly number[] }>;
  /**
   * Ids of all threads, for good; this thread keeps CAP_NET_ADMIN and CAP_NET_RAW where it has them, the others nothing.
   * @throws EPERM
   */
  becomeUser(user: string, uid: number, gid: number): void;
  /** PR_SET_NO_NEW_PRIVS */
  forbidNewPrivileges(): void;
  /** dup2(2): whatever is written to `to` goes where `from` leads, from one instant to the next. @throws EBADF */
  redirectDescriptor(from: number, to: number): void;
  /** malloc returns its free memory to the system. */
  trimMemory(): void;
  /** Whether malloc overwrites freed memory from now on (glibc; pieces above 1 KiB). */
  wipeFreedMemory(isOn: boolean): void;
}
