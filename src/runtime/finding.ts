import { EtherwsError } from '../errors.ts';

/** The result of one check of this host or this switch, as `etherws doctor` and `listFinding` tell it. */
export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** what to do; absent for a good result */
  readonly advice?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, result: 'ok', found };
}

export function warn(check: string, found: string, advice: string): Finding {
  return { check, result: 'warn', found, advice };
}

/** @param problem an error, or a sentence */
export function fail(check: string, problem: unknown, advice?: string): Finding {
  const found = problem instanceof Error ? problem.message : String(problem);
  const hint = advice ?? (problem instanceof EtherwsError ? problem.hint : undefined);
  return { check, result: 'fail', found, ...(hint === undefined ? {} : { advice: hint }) };
}

export function worst(findings: readonly Finding[]): Finding['result'] {
  if (findings.some(({ result }) => result === 'fail')) return 'fail';
  return findings.some(({ result }) => result === 'warn') ? 'warn' : 'ok';
}

const DAY_MS = 86_400_000;
/** A certificate with fewer days left is a warning. */
const SOON_DAYS = 14;

/** Checks the validity of a certificate. @param validity as of X509Certificate and TLSSocket */
export function validityOf(
  check: string,
  subject: string,
  validity: { readonly validFrom: string; readonly validTo: string },
  nowMs: number,
): Finding {
  const [fromMs, toMs] = [Date.parse(validity.validFrom), Date.parse(validity.validTo)];
  const renew = 'Renew it; the switch reads the new one on SIGHUP';
  if (nowMs > toMs) return fail(check, `${subject} expired on ${dateOf(toMs)}`, renew);
  if (nowMs < fromMs) {
    return fail(check, `${subject} is valid only from ${dateOf(fromMs)} on`, 'Is the clock of this host right?');
  }
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  const found = `${subject} is valid until ${dateOf(toMs)}, for ${days} days`;
  return days < SOON_DAYS ? warn(check, found, renew) : ok(check, found);
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
