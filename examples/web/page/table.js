// The first records as a table, numbers as they are written.

import { make } from './dom.js';

/** @typedef {import('./messages.js').Row} Row */

/** The most columns of the table. */
const COLUMNS = 50;
/** The most characters of a field. */
const FIELD = 300;

/** A number as it is written, which can be more exact than JavaScript's. */
class Literal {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** The column of what is not an object. */
const VALUE = 'value';

/** @param {Row} row @returns {Map<string, unknown>} */
function fields({ text, isCut }) {
  let value;
  try {
    const keep = (/** @type {string} */ _, /** @type {unknown} */ value, /** @type {{ source?: string }} */ context) =>
      typeof value === 'number' ? new Literal(context?.source ?? String(value)) : value;
    value = JSON.parse(text, /** @type {any} */ (keep));
  } catch {
    value = isCut ? `${text} …` : text;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Literal);
  return new Map(isObject ? Object.entries(value) : [[VALUE, value]]);
}

/** JSON with the numbers as they were written. @param {unknown} value @returns {string} */
function written(value) {
  if (value instanceof Literal) return value.text;
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${written(inner)}`).join(', ')}}`;
}

/** @param {unknown} value */
function cell(value) {
  if (value === undefined) return make('td');
  const text = typeof value === 'string' ? value : written(value);
  const className = value instanceof Literal ? 'number' : value === null ? 'none' : '';
  const short = text.length > FIELD ? `${text.slice(0, FIELD)} …` : text;
  return make('td', { className, title: short }, short.replaceAll('\n', '⏎'));
}

/** What is as wide as it must be and scrolls, by the keyboard too. @param {string} label @param {Node} content */
function scrolling(label, content) {
  return make('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: label }, content);
}

/** @param {Row[]} rows @returns {Node[]} */
export function recordsTable(rows) {
  const records = rows.map(fields);
  const all = [...new Set(records.flatMap((record) => [...record.keys()]))];
  const columns = all.slice(0, COLUMNS);
  const left = all.length > columns.length ? `, ${COLUMNS} of ${all.length} columns` : '';
  const title = make('p', { className: 'title' }, 'First records ', make('small', {}, `${rows.length} of them${left}`));
  const isNumber = (/** @type {string} */ name) => {
    const values = records.map((record) => record.get(name) ?? null).filter((value) => value !== null);
    return values.length > 0 && values.every((value) => value instanceof Literal);
  };
  const heads = columns.map((name) => make('th', { scope: 'col', className: isNumber(name) ? 'number' : '' }, name));
  const head = make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, '#'), ...heads));
  const lines = records.map((record, index) => {
    const number = make('th', { scope: 'row' }, String(index + 1));
    return make('tr', {}, number, ...columns.map((name) => cell(record.get(name))));
  });
  const table = make('table', { className: 'records' }, head, make('tbody', {}, ...lines));
  return [title, scrolling('First records', table)];
}

/** What is no record: its first bytes as text. @param {string} start @returns {Node[]} */
export function textView(start) {
  const shown = start.replaceAll(/[^\P{C}\n\t]/gu, '·');
  return [make('p', { className: 'title' }, 'Its first bytes as text'), scrolling('First bytes', make('pre', {}, shown))];
}
