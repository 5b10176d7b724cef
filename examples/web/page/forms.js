// What a file can be: a format of records by its extension, and a codec by its own.

/**
 * @typedef {{ format: string, codec: string }} Form
 * How the records of a file lie in it: the extension of a format, or `bytes` if it is none; that of a codec, or nothing.
 */

/** The formats by their extensions, and what people call them. */
export const FORMATS = new Map([
  ['ndjson', 'NDJSON'],
  ['json', 'JSON array'],
  ['csv', 'CSV'],
  ['tsv', 'TSV'],
  ['lp', 'Length-prefixed'],
]);

/** The same of the codecs. */
export const CODECS = new Map([
  ['gz', 'gzip'],
  ['zst', 'zstd'],
  ['sz', 'snappy'],
  ['lz4', 'lz4'],
]);

/** The one that is no format: the bytes of a file, whatever they are. */
export const BYTES = 'bytes';

/** The one that is no codec. */
export const PLAIN = '';

/** Other extensions of the same formats. */
const OTHERS = ['jsonl'];

/** @param {Form} form @returns {string} what it is, in words */
export function named({ format, codec }) {
  const what = FORMATS.get(format) ?? 'bytes of no known format';
  return codec === PLAIN ? `${what}, not compressed` : `${what}, compressed by ${CODECS.get(codec)}`;
}

/** What a file is called once it is of another form. @param {string} name @param {Form} form @returns {string} */
export function renamed(name, { format, codec }) {
  const parts = name.split('.');
  const takeOff = (/** @type {Iterable<string>} */ extensions) => {
    if (parts.length < 2 || ![...extensions].includes(parts[parts.length - 1].toLowerCase())) return [];
    return parts.splice(-1);
  };
  takeOff(CODECS.keys());
  const before = takeOff([...FORMATS.keys(), ...OTHERS]);
  return [...parts, ...(format === BYTES ? before : [format]), ...(codec === PLAIN ? [] : [codec])].join('.');
}
