// Writes a file in another form, as fast as its target takes it.

import { records } from '../codec/codec.js';
import { codecOf, encodingOf } from './encoding.js';
import { blobSink, fileSink } from './sink.js';
import { chunks, compressed, decompressed, through } from './streams.js';

/**
 * @typedef {import('../messages.js').Message} Message
 * @typedef {import('../messages.js').Convert} Convert
 */

/** @param {Convert} job @param {(message: Message) => void} tell */
export async function convert(job, tell) {
  const sink = job.handle ? await fileSink(job.handle) : blobSink();
  let bytes = 0;
  try {
    for await (const chunk of await output(job, tell)) {
      await sink.write(chunk);
      bytes += chunk.length;
    }
    tell({ kind: 'written', bytes, blob: await sink.close() });
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** What is to be written. Without records on one of the sides, it is the bytes that change their codec. @param {Convert} job @param {(message: Message) => void} tell */
async function output({ file, source, target }, tell) {
  const read = (pass = 1, passes = 1) =>
    chunks(file, (read) => tell({ kind: 'progress', read, of: file.size, pass, passes }));
  const [from, to] = [encodingOf(source), encodingOf(target)];
  if (!from || !to) return compressed(decompressed(read(), codecOf(source.codec)), codecOf(target.codec));

  const survey = records.Survey.open(from, to);
  if (!survey) return through(records.Converter.open(from, to), read());
  for await (const chunk of read(1, 2)) survey.push(chunk);
  return through(survey.finish(), read(2, 2));
}
