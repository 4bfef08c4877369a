import { readFileSync } from 'node:fs';
import { cpus, release, type as systemType, totalmem } from 'node:os';

const BYTES_PER_GIBIBYTE = 1024 ** 3;

/**
 * The facts about the machine that figures depend on.
 * @param congestion TCP's congestion control in the labs; default: that of the machine
 */
export function describeMachine(congestion?: string): Record<string, string> {
  const processors = cpus();
  return {
    Processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    Memory: `${Math.round(totalmem() / BYTES_PER_GIBIBYTE)} GiB`,
    Kernel: `${systemType()} ${release()}`,
    'TCP congestion control': congestion ?? systemCongestion(),
    Node: `${process.version}, OpenSSL ${process.versions.openssl}`,
  };
}

function systemCongestion(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
