import { readFileSync } from 'node:fs';

/** A fenced block of a page, and the heading that it stands under. */
export interface FencedBlock {
  readonly section: string;
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of a Markdown page. @param page a path within the repository */
export function fencedBlocks(page: string): FencedBlock[] {
  const markdown = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
  const blocks: FencedBlock[] = [];
  let section = '';
  for (const [, heading, language = '', text = ''] of markdown.matchAll(/^#+ ([^\n]*)$|^```(\w*)\n(.*?)^```$/gms)) {
    if (heading !== undefined) section = heading;
    else blocks.push({ section, language, text });
  }
  return blocks;
}

/** The commands of a shell block, in words; lines that go on behind a backslash are joined, comments left out. */
export function commandsIn(text: string): string[][] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n');
  return lines.filter((line) => !/^\s*(#|$)/.test(line)).map((line) => line.trim().split(/\s+/));
}
