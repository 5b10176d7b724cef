// Counts the records of a stream and keeps the first of them to be shown.

import { records } from '../codec/codec.js';
import { SHOWN } from '../messages.js';
import { joined } from './streams.js';

/**
 * @typedef {import('./encoding.js').Encoding} Encoding
 * @typedef {import('../messages.js').Row} Row
 */

/** Bytes of records that are kept at most; a record of more is cut. */
const KEPT = 1 << 20;
/** Bytes of a cut record. */
const CUT = 400;
const NOTHING = new Uint8Array();
const LINE_END = new TextEncoder().encode('\n');

export class Preview {
  /** Records up to here, all of them good. */
  count = 0;
  /** @type {Uint8Array[]} */
  #kept = [];
  #bytes = 0;
  /** Whether no further record is kept. */
  isFull = false;
  #format;
  #reader;

  /** @param {Encoding} encoding of what is pushed, whose compression was taken off before */
  constructor(encoding) {
    this.#format = encoding.format;
    this.#reader = records.RecordReader.open({ ...encoding, codec: undefined });
  }

  /** @param {Uint8Array} chunk */
  push(chunk) {
    for (let batch; (batch = this.#reader.push(chunk)).ends.length > 0; chunk = NOTHING) this.#see(batch);
  }

  /** Ends the stream. */
  finish() {
    for (let batch; (batch = this.#reader.finish()).ends.length > 0; ) this.#see(batch);
  }

  /** @param {import('../codec/interfaces/omnistorage-codec-records.js').Batch} batch */
  #see({ data, ends }) {
    let start = 0;
    for (const end of this.isFull ? [] : ends) {
      if (this.#kept.length === SHOWN || this.#bytes > KEPT) {
        this.isFull = true;
        break;
      }
      this.#kept.push(data.slice(start, end));
      this.#bytes += end - start;
      start = end;
    }
    this.count += ends.length;
  }

  /** @returns {Row[]} */
  rows() {
    const isCut = (/** @type {Uint8Array} */ record) => record.length > KEPT;
    if (this.#format.tag !== 'csv' || this.#kept.some(isCut)) {
      return this.#kept.map((record) => ({
        text: new TextDecoder().decode(isCut(record) ? record.subarray(0, CUT) : record),
        isCut: isCut(record),
      }));
    }
    return this.#objects(this.#format.val);
  }

  /** Rows of CSV as JSON texts, each field a string as it is. @param {import('../codec/interfaces/omnistorage-codec-records.js').CsvDialect} dialect */
  #objects(dialect) {
    const header = this.#reader.header();
    const lines = [...(header ? [header] : []), ...this.#kept].flatMap((line) => [line, LINE_END]);
    const source = { format: { ...this.#format, val: { ...dialect, infer: false } }, validation: 'framing' };
    const target = { format: { tag: 'ndjson' }, validation: 'framing' };
    const converted = records.convert(joined(lines), /** @type {Encoding} */ (source), /** @type {Encoding} */ (target));
    const texts = new TextDecoder().decode(converted).split('\n').slice(0, -1);
    return texts.map((text) => ({ text, isCut: false }));
  }
}
