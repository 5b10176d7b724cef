// Looks at a file: what it is, its first records, and then all of it, to see whether it is sound.

import { compression } from '../codec/codec.js';
import { CODECS, PLAIN } from '../forms.js';
import { codecOf, detectCodec, detectFormat, encodingOf, guessFormat, reasonOf } from './encoding.js';
import { Preview } from './preview.js';
import { chunks, decompressed, first } from './streams.js';

/**
 * @typedef {import('../messages.js').Message} Message
 * @typedef {import('../forms.js').Form} Form
 */

/** Bytes that are read to tell what a file is. */
const HEAD = 64 << 10;
/** Bytes without compression that are compressed by each codec, to compare them. */
const SAMPLE = 1 << 20;

/** @param {import('../messages.js').Look} job @param {(message: Message) => void} tell */
export async function look({ file, form: chosen }, tell) {
  const { form, isGuess } = chosen ? { form: chosen, isGuess: false } : await detected(file);
  tell({ kind: 'detected', form, isGuess });

  const start = await beginning(file, form, SAMPLE);
  const sizes = compared(start, form);
  const encoding = encodingOf(form);
  const preview = encoding && new Preview(encoding);
  let isTold = false;
  const show = () => {
    if (isTold) return;
    isTold = true;
    const text = new TextDecoder().decode(start.subarray(0, 2048));
    tell({ kind: 'sample', rows: preview && preview.rows(), start: text, sampled: start.length, sizes });
  };

  let raw = 0;
  try {
    const read = chunks(file, (read) => tell({ kind: 'progress', read, of: file.size, pass: 1, passes: 1 }));
    for await (const chunk of decompressed(read, codecOf(form.codec))) {
      raw += chunk.length;
      preview?.push(chunk);
      if (!preview || preview.isFull) show();
    }
    preview?.finish();
  } catch (error) {
    show();
    throw Object.assign(/** @type {object} */ (error), { records: preview && preview.count });
  }
  show();
  tell({ kind: 'whole', records: preview && preview.count, raw });
}

/** @param {File} file @returns {Promise<{ form: Form, isGuess: boolean }>} */
async function detected(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const codec = detectCodec(file.name, head);
  const format = detectFormat(file.name);
  if (format) return { form: { format, codec }, isGuess: false };
  const start = await beginning(file, { format: '', codec }, HEAD);
  return { form: { format: guessFormat(start), codec }, isGuess: true };
}

/**
 * The first bytes without compression, or none where they are damaged, which is told later.
 *
 * @param {File} file
 * @param {Form} form
 * @param {number} length
 */
async function beginning(file, form, length) {
  try {
    return await first(decompressed(chunks(file, () => {}), codecOf(form.codec)), length);
  } catch (error) {
    if (reasonOf(error)) return new Uint8Array();
    throw error;
  }
}

/** @param {Uint8Array} sample @param {Form} form @returns {import('../messages.js').Size[]} */
function compared(sample, form) {
  const sizes = [{ label: 'not compressed', bytes: sample.length, isIt: form.codec === PLAIN }];
  for (const [extension, label] of CODECS) {
    const codec = codecOf(extension);
    if (codec) {
      const bytes = compression.compress(sample, codec, undefined).length;
      sizes.push({ label, bytes, isIt: form.codec === extension });
    }
  }
  return sizes;
}
