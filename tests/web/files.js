// Files of records to try, and what the command line makes of them.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const BINARY = process.env.OMNISTORAGE;
export const directory = mkdtempSync(join(tmpdir(), 'records-'));
export const at = (/** @type {string} */ name) => join(directory, name);

/** The command line, in that directory. @param {string[]} words */
export const omnistorage = (...words) => fed('', ...words);

/** The same with something on its standard input. @param {string | Buffer} input @param {string[]} words */
export function fed(input, ...words) {
  const env = { ...process.env, XDG_CONFIG_HOME: '/nonexistent' };
  return execFileSync(BINARY, words, { cwd: directory, env, input, maxBuffer: 1 << 30, stdio: 'pipe' });
}

/** What the command line makes of a file. @param {string} source @param {string} target */
export function converted(source, target) {
  const name = `expected.${target}`;
  omnistorage('records', 'convert', source, name);
  return readFileSync(at(name));
}

/** One record of the many. @param {number} n */
export function record(n) {
  const note = n % 3 === 0 ? `,"note":"say \\"${(n * 7919) % 1013}\\", ä😀\\n"` : '';
  const wide = n === 4000 ? ',"late":[1,{"a":null}]' : '';
  return `{"id":${n},"exact":1234567890123456789.${n}0,"city":"Łódź"${note}${wide}}\n`;
}

/** Writes the same records in every form, and returns the names. */
export function many() {
  writeFileSync(at('many.ndjson'), Array.from({ length: 5000 }, (_, n) => record(n)).join(''));
  const others = ['many.json', 'many.csv', 'many.lp', 'many.ndjson.gz', 'many.csv.zst', 'many.ndjson.sz', 'many.tsv.lz4'];
  for (const other of others) omnistorage('records', 'convert', 'many.ndjson', other);
  return ['many.ndjson', ...others];
}

/** Writes a file of that many records and more bytes than that many MB. @param {string} name @param {number} megabytes */
export async function large(name, megabytes) {
  const block = Array.from({ length: 10_000 }, (_, n) => record(n)).join('');
  const file = await open(at(name), 'w');
  for (let bytes = 0; bytes < megabytes * 1e6; bytes += Buffer.byteLength(block)) await file.write(block);
  await file.close();
}

/** @param {string} path */
export async function hashed(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
