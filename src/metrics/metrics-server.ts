import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { headersOf, type Refusal } from '../net/http-refusal.ts';
import type { Logger } from '../observability/logger.ts';
import { CONTENT_TYPES, type Family, linesOf } from './exposition.ts';
import { formatFor, takesGzip } from './negotiation.ts';
import { slicesOf } from './slices.ts';

export interface MetricsServerOptions {
  /** Called for each scrape. */
  readonly families: () => Iterable<Family>;
  /** The refusal of a request; undefined: it is served. Never rejects. */
  readonly refusalOf: (request: IncomingMessage) => Promise<Refusal | undefined>;
  readonly addressOf: (request: IncomingMessage) => string;
  /** Clients cause records of level info, so these must be rate-limited. */
  readonly logger: Logger;
}

/** Limit of scrapes at the same time, since each holds its lines in memory until its client has read them. */
const MOST_SCRAPES = 4;
/** Time limit of a response, after which the connection is cut. */
const SCRAPE_TIMEOUT_MS = 30_000;
/** Level 1 compresses the text to a tenth; higher levels save little more, and take longer. */
const GZIP = { level: 1 } as const;

/** The metrics of a switch as a page of an HTTP listener. */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  #scrapes = 0;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
  }

  /** Handles one request. Never throws. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => undefined).resume();
    response.on('error', () => undefined);
    this.#handle(request, response).catch((error: unknown) => {
      // The client has disconnected, or the time limit has passed.
      this.#options.logger.debug({ reason: String(error) }, 'a scrape was not completed');
      response.destroy();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = refusedMethod(request) ?? (await this.#options.refusalOf(request)) ?? this.#overload;
    if (refusal !== undefined) {
      const { status, text } = refusal;
      const remoteAddress = this.#options.addressOf(request);
      this.#options.logger.info({ remoteAddress, status, reason: text.trim() }, 'request for metrics refused');
      response.writeHead(status, headersOf(refusal)).end(text);
      return;
    }
    const { headers, method } = request;
    const format = formatFor(headers.accept);
    const isCompressed = takesGzip(headers['accept-encoding']);
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[format],
      ...(isCompressed ? { 'Content-Encoding': 'gzip' } : {}),
      Vary: 'Accept, Accept-Encoding',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    if (method === 'HEAD') {
      response.end();
      return;
    }
    this.#scrapes++;
    try {
      const text = Readable.from(slicesOf(linesOf(this.#options.families(), format)), { highWaterMark: 1 });
      const signal = AbortSignal.timeout(SCRAPE_TIMEOUT_MS);
      if (isCompressed) await pipeline(text, createGzip(GZIP), response, { signal });
      else await pipeline(text, response, { signal });
    } finally {
      this.#scrapes--;
    }
  }

  get #overload(): Refusal | undefined {
    if (this.#scrapes < MOST_SCRAPES) return undefined;
    return {
      status: 503,
      headers: { 'Retry-After': '1' },
      text: `${MOST_SCRAPES} scrapes are being answered already.\n`,
    };
  }
}

/** The refusal of other methods than GET and HEAD. */
export function refusedMethod({ method }: IncomingMessage): Refusal | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  return { status: 405, headers: { Allow: 'GET, HEAD' }, text: 'This page takes only GET and HEAD.\n' };
}
