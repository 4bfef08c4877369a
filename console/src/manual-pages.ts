/** The page of the manual that leads to all others. */
export const START = 'index.html';

/** The file of a page in the manual. @param page its path in the project, such as `docs/operate/vlans.md` */
export function nameOfPage(page: string): string {
  if (page === 'docs/README.md') return START;
  return `${page
    .replace(/^docs\//, '')
    .replace(/\.md$/, '')
    .replaceAll('/', '-')}.html`;
}

/** The same as an address, relative to the console. */
export function addressOfPage(page: string): string {
  return `manual/${nameOfPage(page)}`;
}
