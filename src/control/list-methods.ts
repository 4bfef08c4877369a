import { atLeast, objectOf } from '../schema/table.ts';
import { listOf, type Schema } from '../schema/types.ts';
import { endpointEntry, fdbEntry, interfaceEntry, portEntry } from './entries.ts';

/** Every method's name on the wire begins with it. */
export const METHOD_PREFIX = 'etherws.control.';

const noParams = objectOf({});

/** The methods that ask for nothing. They stand apart: `etherws ctl listport` loads no more than it needs. */
export const LISTS = {
  listPort: method('Lists the ports.', noParams, portEntry),
  listInterface: method('Lists the devices of tap and netdev ports.', noParams, interfaceEntry),
  listFdb: method('Lists the learned addresses.', noParams, fdbEntry),
  listDoor: method('Lists counters of the two services.', noParams, endpointEntry),
} as const;

export function method<P extends Schema, E extends Schema>(description: string, params: P, entry: E) {
  const takesNothing = Object.is(params, noParams);
  return {
    description,
    params: namedParams(params, takesNothing),
    result: atLeast({ entries: listOf(entry) }),
    takesNothing,
  };
}

/** Some clients cannot omit params, and send null, or an empty list where a method takes none. */
function namedParams<P extends Schema>(params: P, takesNothing: boolean): P {
  return {
    ...params,
    '~run': (dataset: { value: unknown }, config: never) => {
      const { value } = dataset;
      const isNothing =
        value === undefined || value === null || (takesNothing && Array.isArray(value) && value.length === 0);
      return params['~run']({ value: isNothing ? {} : value } as never, config);
    },
  };
}
