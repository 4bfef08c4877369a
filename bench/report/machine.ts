import { cpus, release, type as systemType, totalmem } from 'node:os';

const BYTES_PER_GIBIBYTE = 1024 ** 3;

/** What a reader must know of the machine to judge a figure. */
export function describeMachine(): Record<string, string> {
  const processors = cpus();
  return {
    Processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    Memory: `${Math.round(totalmem() / BYTES_PER_GIBIBYTE)} GiB`,
    Kernel: `${systemType()} ${release()}`,
    Node: `${process.version}, OpenSSL ${process.versions.openssl}`,
  };
}
