import { Process } from './process.ts';

/** The labels that tests use. */
type Label = 'port' | 'name' | 'type' | 'reason' | 'target' | 'wire' | 'node' | 'version' | 'service' | 'le';
type Labels = Readonly<Partial<Record<Label, string>>>;

/** A sample of a scrape in Prometheus's text format. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** The samples of a scrape. @throws Error for an invalid line */
export function samplesOf(text: string): ScrapedSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const parts = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
      if (parts === null) throw new Error(`no sample: ${line}`);
      const labels: Record<string, string> = {};
      for (const [, label = '', value = ''] of (parts[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)) {
        labels[label] = value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
      }
      return { name: parts[1] as string, labels, value: Number(parts[3]) };
    });
}

/** The value of the one sample with this name and these labels. @throws Error if there is none, or several */
export function sampleOf(text: string, name: string, labels: Labels = {}): number {
  const found = samplesOf(text).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label as Label] === value),
  );
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)} in\n${text}`);
  return (found[0] as ScrapedSample).value;
}

/** Runs `promtool ARGS`, which must succeed. @returns its output */
export async function promtool(args: readonly string[], input?: string): Promise<string> {
  const tool = new Process(['promtool', ...args], { timeoutMs: 60_000, ...(input === undefined ? {} : { input }) });
  const { status, stdout, stderr } = await tool.exited;
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}
