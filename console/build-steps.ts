import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Files that compression makes smaller; others are sent as they are. */
const COMPRESSIBLE = /\.(html|js|css|svg|json)$/;

/** Removes the files of the last build, whose names have other hashes. */
export function cleanAssets(outDir: string): Plugin {
  return {
    name: 'etherws-clean-assets',
    buildStart() {
      rmSync(join(outDir, 'assets'), { recursive: true, force: true });
    },
  };
}

/** Writes each file once more as `.br` and `.gz`, so that the switch compresses nothing while it forwards frames. */
export function precompress(outDir: string): Plugin {
  return {
    name: 'etherws-precompress',
    closeBundle() {
      const inFolders = ['assets', 'manual'].flatMap((folder) =>
        readdirSync(join(outDir, folder)).map((name) => join(folder, name)),
      );
      for (const name of ['index.html', ...inFolders]) {
        if (!COMPRESSIBLE.test(name)) continue;
        const octets = readFileSync(join(outDir, name));
        writeFileSync(join(outDir, `${name}.br`), brotli(octets));
        writeFileSync(join(outDir, `${name}.gz`), gzipSync(octets, { level: 9 }));
      }
    },
  };
}

function brotli(octets: Buffer): Buffer {
  const { BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;
  return brotliCompressSync(octets, {
    params: { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY, [BROTLI_PARAM_SIZE_HINT]: octets.length },
  });
}
