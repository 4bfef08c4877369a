import type { FilteringDatabase } from '../fdb.ts';
import { MAY_PASS } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, Stage } from './stage.ts';

/**
 * A locked port takes only frames whose source has an entry at this port (bridge(8): `locked`), which the operator has
 * set, or which was learned before the port was locked. Flows end when such an entry moves, ages or is removed.
 */
export class LockedPort implements Stage {
  readonly #fdb: FilteringDatabase;

  constructor(fdb: FilteringDatabase) {
    this.#fdb = fdb;
  }

  apply(pass: Pass): Answer {
    return pass.ingress.settings.isLocked ? this.#judge(pass) : MAY_PASS;
  }

  #judge({ vid, source, ingress, nowMs }: Pass): Answer {
    return this.#fdb.lookup(vid, source, nowMs) === ingress ? MAY_PASS : 'locked';
  }
}
