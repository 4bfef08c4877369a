import { EtherwsError } from '../errors.ts';
import { describePlace, type FileFault } from './place.ts';

/** An invalid configuration file, with all its errors. */
export class ConfigInvalid extends EtherwsError {
  /** one for each error, as `file:line:column: message`, in the order of the file */
  readonly lines: readonly string[];

  constructor(file: string, faults: readonly FileFault[]) {
    const lines = faults.map(({ place, message }) => `${describePlace(place)}: ${message}`);
    super('CONFIG_INVALID', `${file} has ${lines.length === 1 ? 'an error' : `${lines.length} errors`}`, {
      hint: lines.join('\n'),
    });
    this.lines = lines;
  }
}
