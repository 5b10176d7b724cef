// The page in a browser does what the command line does, sends nothing anywhere, and needs no mouse.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { open } from './chromium.js';
import { at, converted, directory, fed, hashed, large, many, omnistorage } from './files.js';
import { Page } from './page.js';

/** @type {Awaited<ReturnType<typeof open>>} */
let browser;
/** @type {string[]} */
let sources;
before(async () => {
  sources = many();
  browser = await open({ page: process.env.PAGE, executable: process.env.CHROMIUM });
});
after(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** MB of the large file: more than a tab may grow by. */
const LARGE = 200;
/** MB by which it may grow: what waits to be freed, whatever the size of the file. */
const GROWTH = 150;

/** A test on a page of its own. @param {string} name @param {'file' | 'download'} saving @param {(page: Page) => Promise<void>} run */
function onPage(name, saving, run) {
  test(name, async () => {
    const page = await Page.open(browser, saving);
    try {
      await run(page);
    } finally {
      await page.close();
    }
  });
}

onPage('it converts as the command line does', 'download', async (page) => {
  for (const source of sources) {
    const said = await page.look(at(source));
    assert.match(said, /: 5,000 records, every one (well-formed|whole)\.$/, source);
    // Length-prefixed records are what they are: here JSON, and so no rows.
    const rows = source === 'many.lp' ? [] : ['csv', 'tsv'];
    for (const target of ['ndjson', 'json', 'lp', ...rows]) {
      await page.target(target, '');
      const made = await page.convert();
      assert.equal(made.name, `many.${target}`);
      assert.ok(made.bytes.equals(converted(source, target)), `${source} to ${target}`);
    }
  }
});

onPage('what it compresses, the command line reads', 'download', async (page) => {
  await page.look(at('many.csv'));
  for (const codec of ['gz', 'zst', 'sz', 'lz4']) {
    await page.target('ndjson', codec);
    const made = await page.convert();
    assert.equal(made.name, `many.ndjson.${codec}`);
    writeFileSync(at(`made.${codec}`), made.bytes);
    assert.ok(omnistorage('cat', '--decompress', `made.${codec}`).equals(converted('many.csv', 'ndjson')), codec);
    // Of gzip and zstd the component has other engines than the host.
    if (['sz', 'lz4'].includes(codec)) assert.ok(made.bytes.equals(converted('many.csv', `ndjson.${codec}`)), codec);
  }
});

onPage('it shows what a file is', 'download', async (page) => {
  await page.look(at('many.csv.zst'));
  assert.deepEqual(await page.texts('#detected'), ['CSV, compressed by zstd, as its name and first bytes say.']);
  assert.deepEqual((await page.texts('.records thead th')).slice(0, 4), ['#', 'id', 'exact', 'city']);
  assert.deepEqual((await page.texts('.records tbody tr:nth-child(2) > *')).slice(0, 4), ['2', '1', '1234567890123456789.10', 'Łódź']);
  assert.equal((await page.texts('.records tbody tr')).length, 100);
  const [raw, packed] = await page.texts('#sizes figure:first-child .number');
  assert.equal(raw, `${(statSync(at('many.csv')).size / 1024).toFixed(2)} KiB`);
  assert.match(packed, new RegExp(`^${(statSync(at('many.csv.zst')).size / 1024).toFixed(2)} KiB, `));
  assert.deepEqual(await page.texts('#sizes figure:last-child li > span:first-child'), ['not compressed', 'gzip', 'zstd', 'snappy', 'lz4']);
});

onPage('a name that says nothing is no hindrance', 'download', async (page) => {
  writeFileSync(at('unknown'), readFileSync(at('many.ndjson.gz')));
  assert.match(await page.look(at('unknown')), /5,000 records/);
  assert.deepEqual(await page.texts('#detected'), ['NDJSON, compressed by gzip, as its first bytes look.']);
});

onPage('an empty file has no records', 'download', async (page) => {
  writeFileSync(at('empty.ndjson'), '');
  assert.match(await page.look(at('empty.ndjson')), /: 0 records/);
  await page.target('json', '');
  assert.ok((await page.convert()).bytes.equals(converted('empty.ndjson', 'json')));
});

onPage('bytes that are no records change their codec', 'download', async (page) => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => (n * n) % 251));
  writeFileSync(at('picture.bin'), bytes);
  assert.match(await page.look(at('picture.bin')), /100,000 bytes, read, and nothing in it was checked/);
  await page.target('bytes', 'zst');
  const made = await page.convert();
  assert.equal(made.name, 'picture.bin.zst');
  writeFileSync(at(made.name), made.bytes);
  assert.ok(omnistorage('cat', '--decompress', made.name).equals(bytes));
  assert.ok(await page.page.locator('#target-format option[value=csv]').evaluate((option) => option.disabled));
});

/** Damaged files, and what the page has to say of them. @type {[string, () => Buffer | string, RegExp][]} */
const DAMAGED = [
  ['cut.ndjson.gz', () => readFileSync(at('many.ndjson.gz')).subarray(0, 9000), /gzip data is cut off \(at byte 9000\)/],
  ['bent.ndjson.gz', () => bent(readFileSync(at('many.ndjson.gz')), 8), /damaged.*byte \d+/],
  ['bent.csv.zst', () => bent(readFileSync(at('many.csv.zst')), 500), /damaged.*byte \d+/],
  ['bent.ndjson.sz', () => bent(readFileSync(at('many.ndjson.sz')), 500), /damaged.*byte \d+/],
  ['no.ndjson', () => '{"a":1}\n{"a":}\n', /record 2: not JSON at byte 6: expected value\./],
  ['no.json', () => '[{"a":1},{"a":2}', /cut off: the JSON array has no end/],
  ['no.csv', () => 'a,b\n1,2\n3\n', /record 2: 1 field instead of 2 \(line 3\)/],
];

/** The same with one bit turned, so many bytes before the end. @param {Buffer} bytes @param {number} before */
function bent(bytes, before) {
  bytes[bytes.length - before] ^= 1;
  return bytes;
}

onPage('it says what is damaged, and where, and saves nothing', 'download', async (page) => {
  let downloads = 0;
  page.page.on('download', () => downloads++);
  for (const [name, content, expected] of DAMAGED) {
    writeFileSync(at(name), content());
    const said = await page.look(at(name));
    assert.match(said, /^The file is damaged, or is not what it is read as: /, name);
    assert.match(said, expected, name);
    if (name === 'no.ndjson') assert.match(said, / 1 record was read before it\.$/);
    assert.throws(() => omnistorage('records', 'count', '--validate', name), name);
    await page.target(name.includes('csv') ? 'ndjson' : 'csv', '');
    await page.page.getByRole('button', { name: 'Convert and save' }).click();
    await page.until(async () => await page.page.locator('#trouble').isVisible() && await page.page.locator('#save').isEnabled());
    assert.match((await page.texts('#trouble'))[0], expected, name);
  }
  assert.equal(downloads, 0);
});

onPage('a large file goes through without the tab growing', 'file', async (page) => {
  await large('large.ndjson', LARGE);
  await page.look(at('many.ndjson'));
  const [before] = browser.renderers().sort((a, b) => b - a);
  assert.match(await page.look(at('large.ndjson')), /records, every one well-formed/);
  await page.target('csv', 'zst');
  await page.page.getByRole('button', { name: 'Convert and save' }).click();
  await page.until(async () => (await page.texts('#converted'))[0].startsWith('Wrote'));
  const [after] = browser.renderers().sort((a, b) => b - a);
  const grown = (after - before) / 1e6;
  console.log(`the tab had at most ${(before / 1e6).toFixed(0)} MB before, ${(after / 1e6).toFixed(0)} MB after`);
  assert.ok(grown < GROWTH, `the tab grew by ${grown} MB`);

  const coming = page.page.waitForEvent('download');
  await page.page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('large.csv.zst');
    const link = document.createElement('a');
    Object.assign(link, { href: URL.createObjectURL(await handle.getFile()), download: 'large.csv.zst' }).click();
  });
  await (await coming).saveAs(at('made.csv.zst'));
  omnistorage('records', 'convert', 'made.csv.zst', 'made.csv');
  omnistorage('records', 'convert', 'large.ndjson', 'large.csv');
  assert.equal(await hashed(at('made.csv')), await hashed(at('large.csv')));
});

onPage('a result that is too large for a download is refused', 'download', async (page) => {
  // 18 frames are 1,152 MiB of zeros.
  fed(Buffer.alloc(64 << 20), 'put', '--compress', 'zstd', 'zeros.zst');
  writeFileSync(at('zeros.bin.zst'), Buffer.concat(Array(18).fill(readFileSync(at('zeros.zst')))));
  assert.match(await page.look(at('zeros.bin.zst')), /1,207,959,552 bytes, decompressed without an error/);
  await page.target('bytes', '');
  await page.page.getByRole('button', { name: 'Convert and save' }).click();
  await page.until(async () => (await page.texts('#trouble'))[0].includes('more than 1 GiB'));
});

onPage('it can be stopped, and then nothing is written', 'file', async (page) => {
  await large('long.ndjson', 60);
  await page.look(at('long.ndjson'));
  await page.target('csv', 'gz');
  await page.page.getByRole('button', { name: 'Convert and save' }).click();
  await page.page.getByRole('button', { name: 'Stop' }).click();
  assert.deepEqual(await page.texts('#converted'), ['Stopped: nothing was written.']);
  const size = () => page.page.evaluate(async () => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('long.csv.gz');
    return (await handle.getFile()).size;
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await size(), 0);
});

onPage('it works by the keyboard alone', 'download', async (page) => {
  const { keyboard } = page.page;
  const focused = () => page.page.evaluate(() => document.activeElement.id || document.activeElement.textContent.trim());
  const tab = async (/** @type {string} */ expected) => {
    await keyboard.press('Tab');
    assert.equal(await focused(), expected);
  };
  await tab('file');
  await tab('Paste text instead');
  await keyboard.press('Enter');
  await tab('text');
  await keyboard.type('a,b\n1,"x, y"\n');
  await tab('look-at-text');
  await keyboard.press('Space');
  assert.equal(await page.verdict(), 'pasted: 1 record, every one well-formed.');
  await tab('source-format');
  await tab('source-codec');
  await keyboard.press('Tab');
  assert.equal(await page.page.evaluate(() => document.activeElement.ariaLabel), 'First records');
  await tab('target-format');
  await keyboard.press('Home');
  assert.equal(await page.page.locator('#target-format').inputValue(), 'ndjson');
  await tab('target-codec');
  await tab('save');
  const coming = page.page.waitForEvent('download');
  await keyboard.press('Enter');
  const download = await coming;
  assert.equal(download.suggestedFilename(), 'pasted.ndjson');
  assert.equal(readFileSync(await download.path(), 'utf8'), '{"a":"1","b":"x, y"}\n');
  assert.equal(await focused(), 'save');
});

onPage('everything has a name, and what changes is announced', 'download', async (page) => {
  await page.look(at('many.ndjson'));
  for (const name of ['Read as', 'Compressed by', 'To', 'Compress by']) {
    assert.equal(await page.page.getByRole('combobox', { name, exact: true }).count(), 1, name);
  }
  assert.match(await page.page.getByRole('status').first().textContent(), /5,000 records/);
  assert.equal(await page.page.getByRole('table').count(), 1);
  writeFileSync(at('no.ndjson'), '{');
  await page.look(at('no.ndjson'));
  assert.match(await page.page.getByRole('alert').textContent(), /record 1/);
});

onPage('a phone needs no scrolling sideways', 'download', async (page) => {
  await page.page.setViewportSize({ width: 390, height: 800 });
  await page.look(at('many.csv.zst'));
  assert.equal(await page.page.evaluate(() => document.scrollingElement.scrollWidth), 390);
});

onPage('a file can be dropped', 'download', async (page) => {
  await page.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['[1,2]'], 'two.json'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
  assert.equal(await page.verdict(), 'two.json: 2 records, every one well-formed.');
});

test('nothing can be sent anywhere, and nothing was', async () => {
  let asked = 0;
  const elsewhere = createServer((_, response) => {
    asked++;
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
  });
  await new Promise((listening) => elsewhere.listen(0, '127.0.0.1', listening));
  const address = `http://127.0.0.1:${elsewhere.address().port}/`;
  const known = browser.requests.length;
  const page = await Page.open(browser, 'download');
  try {
    const send = async (/** @type {string} */ to) => {
      try {
        await fetch(to, { method: 'POST', body: 'a secret' });
        return 'sent';
      } catch (error) {
        return error.name;
      }
    };
    await large('slow.ndjson', 60);
    const worker = page.page.waitForEvent('worker');
    await page.page.setInputFiles('#file', at('slow.ndjson'));
    const inWorker = await worker;
    for (const to of [address, `${browser.origin}/index.html`]) {
      assert.equal(await page.page.evaluate(send, to), 'TypeError', `from the page to ${to}`);
      assert.equal(await inWorker.evaluate(send, to), 'TypeError', `from the worker to ${to}`);
    }
    assert.match(await page.verdict(), /every one well-formed/);
  } finally {
    await page.close();
    elsewhere.close();
  }
  assert.equal(asked, 0);
  assert.ok(known > 10, `${known} requests were seen`);
  const others = browser.requests.filter((url) => !url.startsWith(`${browser.origin}/`) && !/^(blob|data):/.test(url));
  assert.deepEqual(others.filter((url) => url !== address), []);
});
