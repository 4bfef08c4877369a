import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { Marked, type Tokens } from 'marked';
import { gfmHeadingId } from 'marked-gfm-heading-id';
import type { Plugin } from 'vite';
import { nameOfPage, START } from './src/manual-pages.ts';

/** Pages of the project that the manual has beside those of `docs/`. */
const OTHERS = ['SECURITY.md', 'SPECIFICATION.md', 'CHANGELOG.md'];
/** Where the manual is below the page of the console. */
const FOLDER = 'manual';

/**
 * Makes the manual of the console: the pages of `docs/`, as HTML without scripts, with each link between them. The switch
 * serves them, so they are those of its version, and need no other host.
 * @param root the directory of the project
 */
export function manual(root: string, outDir: string): Plugin {
  return {
    name: 'etherws-manual',
    closeBundle() {
      const target = join(outDir, FOLDER);
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target, { recursive: true });
      cpSync(join(root, 'console/manual.css'), join(target, 'manual.css'));
      const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`);
      const pages = new Set([...docs.filter((name) => name.endsWith('.md')), ...OTHERS]);
      for (const page of pages) {
        writeFileSync(
          join(target, nameOfPage(page)),
          htmlOf(page, readFileSync(join(root, page), 'utf8'), pages, (image) =>
            cpSync(join(root, image), join(target, basename(image))),
          ),
        );
      }
    },
  };
}

/** @param useImage called with the path of each image that the page shows */
function htmlOf(page: string, text: string, pages: ReadonlySet<string>, useImage: (path: string) => void): string {
  const pathOf = (href: string): string => posix.join(posix.dirname(page), href);
  const marked = new Marked(gfmHeadingId(), {
    renderer: {
      link({ href, tokens }: Tokens.Link): string {
        const words = this.parser.parseInline(tokens);
        const [path = '', anchor] = href.split('#');
        const suffix = anchor === undefined ? '' : `#${anchor}`;
        if (path === '' || /^https?:/.test(href)) return linkTo(href, words);
        const target = pathOf(path);
        // What is not in the manual, such as the sources and the pictures of the console, stays as words.
        return pages.has(target) ? linkTo(nameOfPage(target) + suffix, words) : words;
      },
      image({ href, text: words }: Tokens.Image): string {
        if (!href.endsWith('.svg')) return '';
        useImage(pathOf(href));
        return `<img src="${markup(basename(href))}" alt="${markup(words)}">`;
      },
    },
  });
  const title = /^# (.*)$/m.exec(text)?.[1] ?? page;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${markup(title)} – etherws</title><link rel="stylesheet" href="manual.css"></head>`,
    `<body><nav><a href="../">Console</a> <a href="${START}">All pages</a></nav><main>`,
    marked.parse(text, { async: false }),
    '</main></body></html>',
    '',
  ].join('\n');
}

function linkTo(href: string, words: string): string {
  return `<a href="${markup(href)}">${words}</a>`;
}

function markup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
