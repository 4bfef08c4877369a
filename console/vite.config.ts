import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { cleanAssets, precompress } from './build-steps.ts';
import { manual } from './manual.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const project = fileURLToPath(new URL('..', import.meta.url));
const { ETHERWS_CONSOLE_OUT } = process.env;
const outDir = ETHERWS_CONSOLE_OUT ?? fileURLToPath(new URL('../dist/console', import.meta.url));

/** Each view is a chunk, all of which are in files named view.tsx. */
function nameOfChunk({ facadeModuleId }: { readonly facadeModuleId: string | null }): string {
  const view = /views\/(\w+)\/view\.tsx$/.exec(facadeModuleId ?? '')?.[1];
  return `assets/${view ?? '[name]'}-[hash].js`;
}

/**
 * The page of the console. Its content security policy permits nothing inline, so scripts and styles are files, and no file
 * becomes a data URL. All URLs are relative: the page works below any path of a proxy.
 */
export default defineConfig({
  root,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    // tsc compiles the unit tests of console/src to the same directory.
    emptyOutDir: false,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { chunkFileNames: nameOfChunk } },
  },
  plugins: [cleanAssets(outDir), manual(project, outDir), precompress(outDir)],
});
