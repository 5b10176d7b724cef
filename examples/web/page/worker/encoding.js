// Forms in the words of the component.

import { compression, records } from '../codec/codec.js';
import { BYTES, CODECS, FORMATS, PLAIN } from '../forms.js';

/**
 * @typedef {import('../forms.js').Form} Form
 * @typedef {import('../codec/interfaces/omnistorage-codec-records.js').Encoding} Encoding
 * @typedef {import('../codec/interfaces/omnistorage-codec-compression.js').Codec} Codec
 */

const NOTHING = new Uint8Array();

/** @param {string} extension @returns {Codec | undefined} */
export const codecOf = (extension) =>
  extension === PLAIN ? undefined : compression.detectCodec(`x.${extension}`, NOTHING);

/**
 * @param {Form} form
 * @returns {Encoding | null} null where it has no records
 */
export function encodingOf({ format, codec }) {
  const known = format === BYTES ? undefined : records.detectFormat(`x.${format}`);
  return known ? { format: known, codec: codecOf(codec), validation: 'syntax' } : null;
}

/**
 * What the component says that it cannot do: a code and a sentence, which tells the place. Methods throw it as it is,
 * functions in an error around it.
 *
 * @param {any} error
 * @returns {{ code: string, message: string } | null} null if the error is not the component's
 */
export function reasonOf(error) {
  const reason = error?.payload ?? error;
  return typeof reason?.code === 'string' && typeof reason.message === 'string' ? reason : null;
}

/** The extension of the codec that the first bytes or the name tell. @param {string} name @param {Uint8Array} head */
export function detectCodec(name, head) {
  const codec = compression.detectCodec(name, head);
  return [...CODECS.keys()].find((extension) => codec && codecOf(extension) === codec) ?? PLAIN;
}

/** The extension of the format that the name tells. @param {string} name */
export function detectFormat(name) {
  const is = JSON.stringify(records.detectFormat(name));
  return [...FORMATS.keys()].find((extension) => is && JSON.stringify(records.detectFormat(`x.${extension}`)) === is);
}

/**
 * What the text at the start of a file looks like, where its name says nothing.
 *
 * @param {Uint8Array} start without compression
 * @returns {string}
 */
export function guessFormat(start) {
  let text;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
  } catch {
    return BYTES;
  }
  const first = text.trimStart()[0];
  if (first === '{') return 'ndjson';
  if (first === '[') return 'json';
  const line = text.split(/[\r\n]/, 1)[0];
  if (text.includes('\0')) return BYTES;
  if (line.includes('\t')) return 'tsv';
  return line.includes(',') ? 'csv' : BYTES;
}
