import { LISTS } from './entries.ts';
import type { METHODS, MethodName } from './schema.ts';

/** The schema of a method. Those that take parameters are loaded only where one is called. */
export async function schemaOf<M extends MethodName>(name: M): Promise<(typeof METHODS)[M]> {
  const schemas = name in LISTS ? LISTS : (await import('./schema.ts')).METHODS;
  return (schemas as typeof METHODS)[name];
}
