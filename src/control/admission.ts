import type { Refusal } from './request-guard.ts';

/** What is known of a caller before any credentials: its name (null: none is asked for), or why it may not call. */
export type Admission = { readonly user: string | null } | { readonly refusal: Refusal };
