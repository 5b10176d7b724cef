// Makes the component into an ES module: node transpile.js COMPONENT DIRECTORY
//
// The same as `jco transpile COMPONENT -o DIRECTORY`, with jco's transpiler alone. The module that comes out needs
// nothing but @bytecodealliance/preview2-shim; its `.d.ts` files say how to call it.

import { transpile, writeFiles } from '@bytecodealliance/jco-transpile';

const [component, outDir] = process.argv.slice(2);
if (!outDir) {
  console.error('usage: node transpile.js COMPONENT DIRECTORY');
  process.exit(2);
}
const { files } = await transpile(component, { name: 'omnistorage-codec', outDir });
await writeFiles(files);
