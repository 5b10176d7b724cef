// Makes the page, all of it static files: node build.js COMPONENT DIRECTORY

import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transpiled } from './transpile.js';

const [component, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node build.js COMPONENT DIRECTORY');
  process.exit(2);
}
await rm(out, { recursive: true, force: true });
await cp(fileURLToPath(new URL('page', import.meta.url)), out, { recursive: true });
await transpiled(component, join(out, 'codec'));
