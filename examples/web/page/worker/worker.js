// What a worker runs: one job.

import { convert } from './convert.js';
import { reasonOf } from './encoding.js';
import { look } from './look.js';

/**
 * @param {import('../messages.js').Look | import('../messages.js').Convert} job
 * @param {(message: import('../messages.js').Message) => void} tell
 */
export async function run(job, tell) {
  try {
    await (job.task === 'look' ? look(job, tell) : convert(job, tell));
  } catch (error) {
    tell(failure(error));
  }
}

/** What to say of an error. @param {any} error @returns {import('../messages.js').Failed} */
function failure(error) {
  const { code, message } = reasonOf(error) ?? { code: error.name, message: error.message };
  return { kind: 'failed', code, message, records: error.records ?? null };
}
