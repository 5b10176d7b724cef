// Makes the npm package: node build.js COMPONENT DIRECTORY VERSION LICENCE...

import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { transpiled } from '../../examples/web/transpile.js';

const [component, out, version, ...licences] = process.argv.slice(2);
if (licences.length === 0) {
  console.error('usage: node build.js COMPONENT DIRECTORY VERSION LICENCE...');
  process.exit(2);
}
const here = fileURLToPath(new URL('.', import.meta.url));
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await transpiled(component, join(out, 'codec'));
for (const file of [join(here, 'index.js'), join(here, 'README.md'), ...licences]) {
  await cp(file, join(out, basename(file)));
}
const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
await writeFile(join(out, 'package.json'), `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);

// The types are those of the JSDoc, which are checked on the way.
const compiler = fileURLToPath(new URL('../../node_modules/.bin/tsc', import.meta.url));
const options = ['--allowJs', '--checkJs', '--strict', '--declaration', '--emitDeclarationOnly', '--skipLibCheck'];
execFileSync(compiler, [...options, '--target', 'esnext', '--module', 'esnext', '--moduleResolution', 'bundler', 'index.js'], {
  cwd: out,
  stdio: 'inherit',
});
