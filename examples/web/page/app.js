// The page: a file comes in, its worker tells what it is, and another one converts it.

import { onFile } from './choose.js';
import { element, fill } from './dom.js';
import { BYTES, CODECS, FORMATS, PLAIN, named, renamed } from './forms.js';
import { start } from './jobs.js';
import { chooseTarget, download, writesToFiles } from './save.js';
import { sizesFigure } from './sizes.js';
import { recordsTable, textView } from './table.js';
import { bytes, several, trouble } from './words.js';

/**
 * @typedef {import('./forms.js').Form} Form
 * @typedef {import('./messages.js').Message} Message
 */

const selects = {
  source: { format: element('source-format', HTMLSelectElement), codec: element('source-codec', HTMLSelectElement) },
  target: { format: element('target-format', HTMLSelectElement), codec: element('target-codec', HTMLSelectElement) },
};
const [status, found, convert] = ['status', 'found', 'convert'].map((id) => element(id, HTMLElement));
const [troubleLine, converted, detected] = ['trouble', 'converted', 'detected'].map((id) => element(id, HTMLElement));
const [reading, converting] = ['reading', 'converting'].map((id) => element(id, HTMLProgressElement));
const [save, stop] = ['save', 'stop'].map((id) => element(id, HTMLButtonElement));

for (const { format, codec } of Object.values(selects)) {
  fill(format, [...FORMATS, [BYTES, 'Bytes as they are']]);
  fill(codec, [[PLAIN, 'Nothing'], ...CODECS]);
}

/** @param {keyof typeof selects} side @returns {Form} */
const chosen = (side) => ({ format: selects[side].format.value, codec: selects[side].codec.value });
/** @param {keyof typeof selects} side @param {Form} form */
function choose(side, { format, codec }) {
  selects[side].format.value = format;
  selects[side].codec.value = codec;
}

/** Bytes below which a sample says nothing about a codec. */
const SAID = 1024;

/** The file that is looked at. @type {File | undefined} */
let file;
/** Its bytes without compression, once all of it was read. @type {number | undefined} */
let rawSize;
let stopLooking = () => {};
let stopConverting = () => {};

/** @param {HTMLProgressElement} bar @param {import('./messages.js').Progress} progress */
function show(bar, { read, of, pass, passes }) {
  bar.hidden = false;
  bar.value = of === 0 ? 1 : (pass - 1 + read / of) / passes;
}

/** @param {Message & { kind: 'failed' } | null} failed null: all is well */
function complain(failed) {
  troubleLine.textContent = failed ? trouble(failed) : '';
  troubleLine.hidden = !failed;
}

/** Looks at a file, as whatever it seems to be or as it is told. @param {File} next @param {Form | null} form */
function look(next, form) {
  stopLooking();
  endConverting();
  file = next;
  rawSize = undefined;
  reading.hidden = true;
  converted.replaceChildren();
  element('comparison', HTMLElement).replaceChildren();
  complain(null);
  element('sizes', HTMLElement).replaceChildren();
  element('records', HTMLElement).replaceChildren();
  element('found-title', HTMLElement).textContent = `${file.name}, ${bytes(file.size)}`;
  status.textContent = 'Looking …';
  stopLooking = start({ task: 'look', file, form }, (message) => heard(next, form, message));
}

/** @param {File} file @param {Form | null} form @param {Message} message of the worker that looks at it */
function heard(file, form, message) {
  switch (message.kind) {
    case 'detected':
      return showForm(message.form, message.isGuess, form !== null);
    case 'sample': {
      const whole = message.rows ? recordsTable(message.rows) : textView(message.start);
      element('records', HTMLElement).replaceChildren(...whole);
      const note = `its first ${bytes(message.sampled)}, as this page compresses`;
      if (message.sampled >= SAID) {
        element('sizes', HTMLElement).append(sizesFigure('In each codec', note, message.sizes));
      }
      return;
    }
    case 'progress':
      return show(reading, message);
    case 'whole': {
      reading.hidden = true;
      const { records, raw } = message;
      rawSize = raw;
      status.textContent = `${file.name}: ${verdict(records, raw)}`;
      if (selects.source.codec.value !== PLAIN) {
        element('sizes', HTMLElement).prepend(sizesFigure('Size', '', sizesOf(file)));
      }
      return;
    }
    case 'failed':
      reading.hidden = true;
      found.hidden = false;
      status.textContent = '';
      return complain(message);
  }
}

/** What reading all of it has shown. @param {number | null} records @param {number} raw @returns {string} */
function verdict(records, raw) {
  const { format } = chosen('source');
  if (records !== null) return `${several(records, 'record')}, every one ${format === 'lp' ? 'whole' : 'well-formed'}.`;
  const is = selects.source.codec.value === PLAIN ? 'read, and nothing in it was checked' : 'decompressed without an error';
  return `${several(raw, 'byte')}, ${is}.`;
}

/** The sizes that are known of a file. @param {File} file @returns {import('./messages.js').Size[]} */
function sizesOf(file) {
  const plain = rawSize === undefined ? [] : [{ label: 'not compressed', bytes: rawSize, isIt: false }];
  return [...plain, { label: 'this file', bytes: file.size, isIt: true }];
}

/** @param {Form} form @param {boolean} isGuess @param {boolean} isTold */
function showForm(form, isGuess, isTold) {
  found.hidden = convert.hidden = false;
  choose('source', form);
  const how = isTold ? 'as you say' : isGuess ? 'as its first bytes look' : 'as its name and first bytes say';
  detected.textContent = `${named(form)}, ${how}.`;
  if (!isTold) choose('target', { format: other(form.format), codec: form.codec });
  offer();
}

/** What somebody most likely wants of it. @param {string} format */
const other = (format) => (format === BYTES ? BYTES : ['ndjson', 'json'].includes(format) ? 'csv' : 'ndjson');

/** Bytes that are no records can only change their codec. */
function offer() {
  for (const option of selects.target.format.options) {
    option.disabled = selects.source.format.value === BYTES && option.value !== BYTES;
  }
  if (selects.target.format.selectedOptions[0]?.disabled) selects.target.format.value = BYTES;
}

/** The focus goes on with what can be done: a button that is hidden or disabled would lose it. */
function endConverting() {
  const hasFocus = document.activeElement === stop;
  stopConverting();
  stopConverting = () => {};
  converting.hidden = stop.hidden = true;
  save.disabled = false;
  if (hasFocus) save.focus();
}

async function convertAndSave() {
  if (!file) return;
  const from = file;
  const [source, target] = [chosen('source'), chosen('target')];
  const name = renamed(from.name, target);
  complain(null);
  converted.replaceChildren();
  element('comparison', HTMLElement).replaceChildren();
  const handle = await chooseTarget(name);
  if (handle === undefined) return;
  save.disabled = true;
  stop.hidden = false;
  stop.focus();
  const began = performance.now();
  stopConverting = start({ task: 'convert', file: from, source, target, handle }, (message) => {
    if (message.kind === 'progress') return show(converting, message);
    endConverting();
    if (message.kind === 'failed') complain(message);
    if (message.kind !== 'written') return;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const label = handle?.name ?? name;
    converted.append(`Wrote ${label}, ${bytes(message.bytes)}, in ${seconds} s. `);
    if (message.blob) converted.append(download(message.blob, name));
    const sizes = [...sizesOf(from), { label, bytes: message.bytes, isIt: false }];
    element('comparison', HTMLElement).replaceChildren(sizesFigure('Size', '', sizes));
  });
}

onFile((next) => look(next, null));
for (const select of Object.values(selects.source)) {
  select.addEventListener('change', () => file && look(file, chosen('source')));
}
save.addEventListener('click', () => {
  convertAndSave().catch((error) => complain({ kind: 'failed', code: error.name, message: error.message, records: null }));
});
stop.addEventListener('click', () => {
  endConverting();
  converted.textContent = 'Stopped: nothing was written.';
});
element('limit', HTMLElement).textContent = writesToFiles()
  ? 'The result goes straight into the file that you name, whatever its size.'
  : 'This browser cannot write straight into a file: the result is put together here first, and may have up to 1 GiB.';
