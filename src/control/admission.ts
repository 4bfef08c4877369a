import type { Refusal } from './request-guard.ts';

/** What is known of a caller before any credentials: who it is (null: nobody asks), or why it may not call. */
export type Admission = { readonly user: string | null } | { readonly refusal: Refusal };
