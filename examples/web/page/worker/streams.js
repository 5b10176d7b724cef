// Bytes, a chunk after the other, and never more of them than were asked for: whoever writes slowly slows the reading.

import { compression } from '../codec/codec.js';

/**
 * @typedef {import('../messages.js').Progress} Progress
 * @typedef {{ push(input: Uint8Array): Uint8Array, finish(): Uint8Array }} Stream what the component pushes bytes through
 */

/** Milliseconds between two words about how far it is. */
const PAUSE = 100;
/** Bytes that are read at once, at most. */
const CHUNK = 1 << 20;
const NOTHING = new Uint8Array();

/**
 * The chunks of a file, with a word now and then about how many bytes of it were read. It is read slice by slice: the chunks
 * of its stream pile up in the tab before they are freed, and reading them into memory of our own (BYOB) stalls in Chromium.
 *
 * @param {Blob} file
 * @param {(read: number) => void} tell
 */
export async function* chunks(file, tell) {
  let told = -Infinity;
  for (let read = 0; read < file.size; ) {
    const chunk = new Uint8Array(await file.slice(read, read + CHUNK).arrayBuffer());
    read += chunk.length;
    if (performance.now() > told + PAUSE) {
      told = performance.now();
      tell(read);
    }
    yield chunk;
  }
  tell(file.size);
}

/**
 * What comes out of the stream for what is read. What one call gives is bounded: ask until nothing comes.
 *
 * @param {Stream} stream
 * @param {AsyncIterable<Uint8Array>} input
 */
export async function* through(stream, input) {
  for await (let chunk of input) {
    for (let output; (output = stream.push(chunk)).length > 0; chunk = NOTHING) yield output;
  }
  for (let output; (output = stream.finish()).length > 0; ) yield output;
}

/**
 * The same without compression.
 *
 * @param {AsyncIterable<Uint8Array>} input
 * @param {import('./encoding.js').Codec | undefined} codec
 */
export const decompressed = (input, codec) =>
  codec ? through(compression.Decoder.open({ codec }), input) : input;

/**
 * The same in that compression.
 *
 * @param {AsyncIterable<Uint8Array>} input
 * @param {import('./encoding.js').Codec | undefined} codec
 */
export const compressed = (input, codec) =>
  codec ? through(compression.Encoder.open(codec, undefined), input) : input;

/**
 * The first bytes of what is read, or all if there are less.
 *
 * @param {AsyncIterable<Uint8Array>} input
 * @param {number} length
 */
export async function first(input, length) {
  const parts = [];
  let missing = length;
  for await (const chunk of input) {
    parts.push(chunk.subarray(0, missing));
    missing -= Math.min(chunk.length, missing);
    if (missing === 0) break;
  }
  return joined(parts);
}

/** @param {Uint8Array[]} parts @returns {Uint8Array} */
export function joined(parts) {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
