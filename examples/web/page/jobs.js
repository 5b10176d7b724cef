// Work in a worker. A worker does one job and is ended with it, so that stopping is certain and no memory is left behind.

/** @typedef {import('./messages.js').Message} Message */

// A worker has the policy of its own address, but one of a blob has that of the page. It imports when it has its job: what is
// sent to a worker that still loads can be lost.
const module = JSON.stringify(new URL('worker/worker.js', import.meta.url).href);
const script = `onmessage = async ({ data }) => (await import(${module})).run(data, (message) => postMessage(message));
onunhandledrejection = ({ reason }) => { throw reason; };`;
const address = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));

/** Messages that are the last of their job. */
const LAST = new Set(['whole', 'written', 'failed']);

/**
 * @param {import('./messages.js').Look | import('./messages.js').Convert} job
 * @param {(message: Message) => void} hear
 * @returns {() => void} stops it; nothing is heard of it from then on
 */
export function start(job, hear) {
  const worker = new Worker(address, { type: 'module', name: job.task });
  worker.onmessage = ({ data }) => {
    if (LAST.has(data.kind)) worker.terminate();
    hear(data);
  };
  worker.onerror = ({ message }) => {
    worker.terminate();
    hear({ kind: 'failed', code: 'Worker', message: message || 'the worker did not start', records: null });
  };
  worker.postMessage(job);
  return () => worker.terminate();
}
