import { randomBytes } from 'node:crypto';
import { serveStore } from '../../cluster/ipc-store-server.ts';
import { MemoryHub, MemoryStore } from '../../cluster/memory-store.ts';
import { callSubject, type LocalNode, type WorkerCall } from './local-mesh.ts';
import type { LocalTask } from './worker-messages.ts';
import type { WorkerProcess } from './worker-process.ts';

const KEY_BYTES = 32;
const NAME_BYTES = 12;
const FIRST = 1;
const CALL_TIMEOUT_MS = 10_000;

/** The mesh of a service with workers, as its first process has it: the store, the key and the names of all. */
export class ServiceMesh {
  readonly #hub = new MemoryHub();
  readonly #asker = new MemoryStore(this.#hub);
  readonly #key = randomBytes(KEY_BYTES);
  /** Abstract names are those of the network namespace, so they have a part that no other service has. */
  readonly #name = randomBytes(NAME_BYTES).toString('hex');

  /** The first process as a node. */
  own(): LocalNode {
    return { ...this.#placeOf(FIRST), key: this.#key, store: new MemoryStore(this.#hub) };
  }

  /** What a worker is told at its start. */
  taskOf(number: number): LocalTask {
    return { ...this.#placeOf(number), key: this.#key.toString('base64url') };
  }

  /** Gives a worker that was started its store. */
  serve({ storeChannel }: WorkerProcess): void {
    serveStore(new MemoryStore(this.#hub), storeChannel);
  }

  /** Has a worker run a method of the control API; see `answerCalls`. @throws EtherwsError its error; CLUSTER_TIMEOUT */
  async ask(number: number, call: WorkerCall): Promise<readonly unknown[]> {
    return (await this.#asker.request(callSubject(`w${number}`), call, CALL_TIMEOUT_MS)) as unknown[];
  }

  /** The name cannot be guessed, so that no other program binds it first; a worker that is started again has another one. */
  #placeOf(number: number): Pick<LocalNode, 'node' | 'socket'> {
    return {
      node: `w${number}`,
      socket: `@etherws/${this.#name}/${number}.${randomBytes(NAME_BYTES).toString('hex')}`,
    };
  }
}
