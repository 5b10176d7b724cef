// The npm package: it installs from its file alone, does in Node what its README says, and the same in a browser.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { open } from './chromium.js';
import { at, directory as records, many, converted } from './files.js';

const directory = mkdtempSync(join(tmpdir(), 'package-'));
const run = (/** @type {string} */ program, /** @type {string[]} */ ...words) =>
  execFileSync(program, words, { cwd: directory, encoding: 'utf8' });
const installed = join(directory, 'node_modules', 'omnistorage-codec');

before(() => {
  many();
  writeFileSync(join(directory, 'package.json'), '{"private": true}');
  run('npm', 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', process.env.PACKAGE);
});
after(() => {
  for (const scratch of [directory, records]) rmSync(scratch, { recursive: true, force: true });
});

test('it brings its licences and the version of the crates', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  assert.equal(manifest.version, process.env.VERSION);
  assert.equal(manifest.dependencies, undefined);
  for (const file of ['LICENSE-MIT', 'LICENSE-APACHE', 'THIRD-PARTY.txt', 'codec/wasi/LICENSE']) {
    assert.ok(readFileSync(join(installed, file), 'utf8').length > 500, file);
  }
});

test('the README prints what it says', () => {
  const [, program, printed] = /```js\n(.*?)```.*?```text\n(.*?)```/s.exec(readFileSync(join(installed, 'README.md'), 'utf8'));
  writeFileSync(join(directory, 'readme.mjs'), program);
  assert.equal(run('node', 'readme.mjs'), printed);
});

test('it converts as the command line does', async () => {
  const codec = await import(join(installed, 'index.js'));
  const source = readFileSync(at('many.ndjson.gz'));
  const chunks = [];
  const [from, to] = [codec.encodingOf('many.ndjson', source), codec.encodingOf('many.csv')];
  for await (const chunk of codec.convert(() => [source], from, to)) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(converted('many.ndjson.gz', 'csv')));
});

test('its types are those of a strict program', () => {
  const compile = (/** @type {string} */ text) => {
    writeFileSync(join(directory, 'use.mts'), text);
    const compiler = join(process.cwd(), 'node_modules/.bin/tsc');
    return run(compiler, '--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--types', '', 'use.mts');
  };
  const use = "import { compress, encodingOf, type Encoding } from 'omnistorage-codec';\n";
  compile(`${use}const e: Encoding = encodingOf('a.csv');\nfor await (const c of compress([new Uint8Array()], 'zstd')) c.length + Number(e.level);\n`);
  assert.throws(() => compile(`${use}compress([new Uint8Array()], 'rar');\n`));
});

test('it does the same in a browser', async () => {
  const browser = await open({ page: installed, executable: process.env.CHROMIUM });
  try {
    const page = await browser.context.newPage();
    await page.goto(`${browser.origin}/README.md`);
    const text = await page.evaluate(async () => {
      const { compress, decompress } = await import('/index.js');
      const input = new Blob(['records ', 'of many kinds']).stream();
      let text = '';
      for await (const chunk of decompress(compress(input, 'zstd'))) text += new TextDecoder().decode(chunk);
      return text;
    });
    assert.equal(text, 'records of many kinds');
  } finally {
    await browser.close();
  }
});
