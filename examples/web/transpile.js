// Makes the component into one ES module for browsers and Node, with its WebAssembly inside: nothing is fetched or read.

import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';

/** The interfaces of WASI that Rust's standard library asks for. */
const WASI = ['cli', 'io', 'random'];

/**
 * Writes `codec.js` and its types, and `wasi/` beside it.
 *
 * @param {string} component the path of omnistorage-codec.wasm
 * @param {string} directory where to
 */
export async function transpiled(component, directory) {
  // A worker knows no import map, so what implements WASI is copied beside the component.
  const shim = dirname(dirname(fileURLToPath(import.meta.resolve('@bytecodealliance/preview2-shim/instantiation'))));
  const wasi = join(directory, 'wasi');
  await mkdir(wasi, { recursive: true });
  for (const file of [...WASI, 'config', 'environment']) {
    await cp(join(shim, 'browser', `${file}.js`), join(wasi, `${file}.js`));
  }
  await cp(join(dirname(shim), 'LICENSE'), join(wasi, 'LICENSE'));

  const map = Object.fromEntries(WASI.map((name) => [`wasi:${name}/*`, `./wasi/${name}.js#*`]));
  const options = { name: 'codec', outDir: directory, map, minify: true, base64Cutoff: 2 ** 30 };
  const { files } = await transpile(component, options);
  await writeFiles(files);
}
