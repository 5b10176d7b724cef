// Record formats and compression, for Node and for browsers: streams in, streams out.

import { compression, records } from './codec/codec.js';

export { compression, records };

/**
 * @typedef {import('./codec/interfaces/omnistorage-codec-compression.js').Codec} Codec
 * @typedef {import('./codec/interfaces/omnistorage-codec-compression.js').DecompressOptions} DecompressOptions
 * @typedef {import('./codec/interfaces/omnistorage-codec-records.js').Encoding} Encoding
 * @typedef {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} Chunks bytes, as readable streams and arrays of chunks give them
 */

const NOTHING = new Uint8Array();

/** What the component says that it cannot do. */
export class CodecError extends Error {
  name = 'CodecError';

  /** @param {import('./codec/interfaces/omnistorage-codec-types.js').Error} reason */
  constructor({ code, offset, message }) {
    super(message);
    /** What kind of thing went wrong. */
    this.code = code;
    /** The byte of the input (codecs) or the number of the record from 1 (formats), where that is what is wrong. */
    this.offset = offset;
  }
}

/**
 * Calls the component, whose errors are plain objects.
 *
 * @template T
 * @param {() => T} call
 * @returns {T}
 */
function attempt(call) {
  try {
    return call();
  } catch (error) {
    const reason = /** @type {any} */ (error)?.payload ?? error;
    throw typeof reason?.code === 'string' && !(reason instanceof Error) ? new CodecError(reason) : error;
  }
}

/**
 * What comes out of a stream of the component for what is read. What one call gives is bounded, and nothing is read before
 * all of it was taken.
 *
 * @param {{ push(input: Uint8Array): Uint8Array, finish(): Uint8Array }} stream
 * @param {Chunks} input
 */
async function* through(stream, input) {
  for await (let chunk of input) {
    for (let output; (output = attempt(() => stream.push(chunk))).length > 0; chunk = NOTHING) yield output;
  }
  for (let output; (output = attempt(() => stream.finish())).length > 0; ) yield output;
}

/**
 * Compresses.
 *
 * @param {Chunks} input
 * @param {Codec} codec
 * @param {number} [level] of the codec's own (gzip: 0 to 9); its default if there is none
 * @returns {AsyncGenerator<Uint8Array, void>}
 */
export async function* compress(input, codec, level) {
  yield* through(attempt(() => compression.Encoder.open(codec, level)), input);
}

/**
 * Decompresses. The output is only known to be whole once the generator has ended without an error.
 *
 * @param {Chunks} input
 * @param {DecompressOptions} [options] without a codec, the first bytes tell it
 * @returns {AsyncGenerator<Uint8Array, void>}
 */
export async function* decompress(input, options = {}) {
  yield* through(attempt(() => compression.Decoder.open(options)), input);
}

/**
 * How the records of a file lie in it, by the extensions of its name and its first bytes: `events.ndjson.gz`.
 *
 * @param {string} name
 * @param {Uint8Array} [head] its first bytes, where there are any yet: they tell the codec better than the name
 * @returns {Encoding}
 * @throws {TypeError} if the name tells no format
 */
export function encodingOf(name, head = NOTHING) {
  const format = records.detectFormat(name);
  if (!format) throw new TypeError(`\`${name}\` tells no record format, as \`.ndjson\` does`);
  return { format, codec: compression.detectCodec(name, head), validation: 'framing' };
}

/**
 * Converts records. Reads the source twice where one pass cannot know how the target is to be written: CSV from JSON has a
 * column for every key of every record.
 *
 * @param {() => Chunks} read opens the source, from its first byte on each time
 * @param {Encoding} source
 * @param {Encoding} target
 * @returns {AsyncGenerator<Uint8Array, void>}
 */
export async function* convert(read, source, target) {
  const survey = attempt(() => records.Survey.open(source, target));
  if (!survey) {
    yield* through(attempt(() => records.Converter.open(source, target)), read());
    return;
  }
  for await (const chunk of read()) attempt(() => survey.push(chunk));
  yield* through(attempt(() => survey.finish()), read());
}
