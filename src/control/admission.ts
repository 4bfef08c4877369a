import type { Refusal } from './request-guard.ts';

/** The decision about a caller without credentials: its user name (null if none is required), or a refusal. */
export type Admission =
  | {
      readonly user: string | null;
      /** as `Caller.isStillValid` */
      readonly isStillValid?: () => Promise<boolean>;
    }
  | { readonly refusal: Refusal };
