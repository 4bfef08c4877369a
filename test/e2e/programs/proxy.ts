/*
 * A forward proxy as a separate program, which a test can kill.
 *
 *   proxy.js http|socks PORT   prints `listening`; on 127.0.0.1, until it is killed
 */
import { startHttpProxy, startSocksProxy } from '../../support/proxies.ts';

const [kind, listenPort] = process.argv.slice(2);
const start = kind === 'http' ? startHttpProxy : startSocksProxy;
await start({ listenPort: Number(listenPort) });
process.stdout.write('listening\n');
