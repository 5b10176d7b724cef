// Numbers and errors as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** @param {number} count of bytes @returns {string} */
export function bytes(count) {
  const power = count < 1024 ? 0 : Math.min(Math.floor(Math.log2(count) / 10), UNITS.length - 1);
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 2)} ${UNITS[power]}`;
}

/** @param {number} count @param {string} thing @returns {string} */
export const several = (count, thing) => `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;

/** What an error of the component means for whoever reads it. @type {Record<string, string>} */
const MEANINGS = {
  corrupted: 'The file is damaged, or is not what it is read as',
  'invalid-argument': 'This form cannot hold it',
  'limit-exceeded': 'That is too large',
  unsupported: 'This cannot be read here',
  NotReadableError: 'The browser cannot read the file: it was changed or removed, or is a directory',
  NotFoundError: 'The file is no longer there',
  NotAllowedError: 'The browser may not write there',
  QuotaExceededError: 'There is no room left',
  RangeError: 'That is too large',
};

/** @param {import('./messages.js').Failed} failed @returns {string} */
export function trouble({ code, message, records }) {
  const before = records ? ` ${several(records, 'record')} ${records === 1 ? 'was' : 'were'} read before it.` : '';
  return `${MEANINGS[code] ?? 'It cannot be done'}: ${message}.${before}`;
}
