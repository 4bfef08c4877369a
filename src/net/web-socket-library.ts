import { createRequire } from 'node:module';
import type * as ws from 'ws';

/** The library ws by `require`: to `import` a CommonJS package, Node loads a lexer and searches the package's files for exported names. */
const library = createRequire(import.meta.url)('ws') as typeof ws.WebSocket & typeof ws;

export const WebSocket = library.WebSocket;
export type WebSocket = ws.WebSocket;
export const WebSocketServer = library.WebSocketServer;
export type WebSocketServer = ws.WebSocketServer;
export type RawData = ws.RawData;
