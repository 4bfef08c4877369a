import { readFileSync } from 'node:fs';

/** A fenced block of a page, with its heading. */
export interface FencedBlock {
  readonly section: string;
  readonly language: string;
  readonly text: string;
}

/** All fenced blocks of a Markdown page. @param page a path within the repository */
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

/** The commands of a shell block, split into words; lines that end with a backslash are joined, comments removed. */
export function commandsIn(text: string): string[][] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n');
  return lines.filter((line) => !/^\s*(#|$)/.test(line)).map((line) => line.trim().split(/\s+/));
}
