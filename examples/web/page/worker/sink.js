// Where the result goes: into a file chunk by chunk, or else into a blob.

import { BLOB_LIMIT } from '../messages.js';

/**
 * @typedef {object} Sink
 * @property {(chunk: Uint8Array) => Promise<void>} write resolves once it is taken
 * @property {() => Promise<Blob | null>} close puts the whole in place, or gives it
 * @property {() => Promise<void>} abort leaves everything as it was
 */

/** Bytes that are gathered before the browser keeps them, which it does outside of the tab. */
const PIECE = 8 << 20;

/** The file is whole or as it was. @param {FileSystemFileHandle} handle @returns {Promise<Sink>} */
export async function fileSink(handle) {
  const file = await handle.createWritable();
  return {
    write: (chunk) => file.write(/** @type {Uint8Array<ArrayBuffer>} */ (chunk)),
    close: async () => {
      await file.close();
      return null;
    },
    abort: () => file.abort(),
  };
}

/** @returns {Sink} */
export function blobSink() {
  /** @type {Blob[]} */
  let pieces = [];
  /** @type {BlobPart[]} */
  let gathered = [];
  let waiting = 0;
  let bytes = 0;
  const keep = () => {
    pieces.push(new Blob(gathered));
    gathered = [];
    waiting = 0;
  };
  return {
    write: async (chunk) => {
      bytes += chunk.length;
      if (bytes > BLOB_LIMIT) {
        throw new RangeError('the result has more than 1 GiB, which is the limit in a browser that cannot write to a file');
      }
      gathered.push(/** @type {Uint8Array<ArrayBuffer>} */ (chunk));
      waiting += chunk.length;
      if (waiting >= PIECE) keep();
    },
    close: async () => {
      keep();
      return new Blob(pieces);
    },
    abort: async () => {
      pieces = [];
      gathered = [];
    },
  };
}
