// Converts records from one encoding to another, told by the extensions of the paths:
//
//     node transpile.js ../../target/omnistorage-codec.wasm omnistorage-codec
//     node convert.js events.ndjson.gz events.csv.zst

import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { compression, records } from './omnistorage-codec/omnistorage-codec.js';

/** How the records of a path lie in it: what its extensions say, and its first bytes of the codec. */
function encoding(path, head = new Uint8Array()) {
  const format = records.detectFormat(path);
  if (!format) throw new Error(`${path}: its name tells no record format, like \`.ndjson\``);
  return { format, codec: compression.detectCodec(path, head), validation: 'framing' };
}

/** What comes out of the stream for what is read. What one call gives is bounded: ask until nothing comes. */
async function* converted(stream, read) {
  const nothing = new Uint8Array();
  for await (let chunk of read()) {
    for (let output; (output = stream.push(chunk)).length > 0; chunk = nothing) yield output;
  }
  for (let output; (output = stream.finish()).length > 0; ) yield output;
}

/** What converts, after a first pass over the source where one pass cannot know how the target is to be written. */
async function converter(source, target, read) {
  const survey = records.Survey.open(source, target);
  if (!survey) return records.Converter.open(source, target);
  for await (const chunk of read()) survey.push(chunk);
  return survey.finish();
}

async function convert(source, target) {
  const read = () => createReadStream(source);
  let head;
  for await (head of read()) break;
  const stream = await converter(encoding(source, head), encoding(target), read);

  // The target is whole or as it was.
  const unfinished = `${target}.unfinished`;
  try {
    await pipeline(converted(stream, read), createWriteStream(unfinished));
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

const [source, target] = process.argv.slice(2);
if (!target) {
  console.error('usage: node convert.js SOURCE TARGET');
  process.exit(2);
}
try {
  await convert(source, target);
} catch (error) {
  // An error of the component has a payload: its code, the offset in the data, and a sentence.
  console.error(`error: ${error.payload?.message ?? error.message}`);
  process.exit(1);
}
