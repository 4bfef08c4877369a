import type { AcceptedConnection } from '../../net/accepted-connection.ts';
import type { HttpListener } from '../../net/http-listener.ts';
import type { TunnelServer } from '../../ports/tunnel/accept/accept-tunnel.ts';
import { ElsewherePlaces } from './place-ledger.ts';
import type { WorkerLoad } from './worker-messages.ts';

/** The tunnels that this process accepts, as a part of those of a service with several processes. */
export class SharedTunnels {
  readonly elsewhere: ElsewherePlaces = new ElsewherePlaces();
  readonly #server: TunnelServer;
  readonly #listener: HttpListener;
  #received = 0;
  #told = '';

  constructor({ server, listener }: { readonly server: TunnelServer; readonly listener: HttpListener }) {
    this.#server = server;
    this.#listener = listener;
    // Those of users are counted by the sessions that all processes share (roaming.ts).
    server.places.elsewhere = (kind, key) => (kind === 'user' ? 0 : this.elsewhere.count(kind, key));
  }

  /** What counts when a connection is handed to the process that has the fewest. */
  get taken(): number {
    return this.#server.connections + this.#listener.pending;
  }

  take(connection: AcceptedConnection): void {
    this.#received++;
    this.#listener.take(connection);
  }

  /** Tells the load now and whenever it has changed. The timer does not keep the process alive. */
  follow(intervalMs: number, tell: (load: WorkerLoad) => void): NodeJS.Timeout {
    const look = (): void => {
      const places = this.#server.places.takeChanges();
      const { taken } = this;
      const now = `${taken} ${this.#received} ${places.all}`;
      if (now === this.#told && places.address.length === 0 && places.user.length === 0) return;
      this.#told = now;
      tell({ taken, received: this.#received, places });
    };
    look();
    return setInterval(look, intervalMs).unref();
  }
}
