import { controlMethods } from '../methods.ts';
import { METHOD_PREFIX, type SwitchControl } from '../schema.ts';
import type { RunHere } from './cluster-calls.ts';

/** Runs methods of the control API at this node, with their checks and the networks of a caller. */
export function runHere(service: SwitchControl): RunHere {
  const methods = controlMethods(service);
  return async (method, params, allowed) => {
    const result = await methods[METHOD_PREFIX + method]?.(params, allowed);
    return (result as { readonly entries: readonly unknown[] }).entries;
  };
}
