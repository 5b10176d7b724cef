// Sizes as a picture: a list that reads well without it, and a bar for each line.

import { make } from './dom.js';
import { bytes } from './words.js';

/** @typedef {import('./messages.js').Size} Size */

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} part @param {number} width of 100 */
function rectangle(part, width) {
  const made = document.createElementNS(SVG, 'rect');
  for (const [name, value] of Object.entries({ class: part, width: `${width}%`, height: '100%', rx: '3' })) {
    made.setAttribute(name, value);
  }
  return made;
}

/** @param {number} share of 1 */
function bar(share) {
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('aria-hidden', 'true');
  picture.append(rectangle('ground', 100), rectangle('bar', Math.min(Math.max(share * 100, 0.5), 100)));
  return picture;
}

/** @param {string} title @param {string} note @param {Size[]} sizes the first one is the whole that the others are shares of */
export function sizesFigure(title, note, sizes) {
  const whole = sizes[0].bytes;
  const longest = Math.max(1, ...sizes.map((size) => size.bytes));
  const line = (/** @type {Size} */ { label, bytes: count, isIt }, /** @type {number} */ index) => {
    const share = whole === 0 ? 0 : count / whole;
    const percent = index === 0 || whole === 0 ? '' : `, ${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
    const number = make('span', { className: 'number' }, bytes(count) + percent);
    return make('li', { className: isIt ? 'is-it' : '' }, make('span', {}, label), number, bar(count / longest));
  };
  const caption = make('figcaption', { className: 'title' }, `${title} `, make('small', {}, note));
  return make('figure', { className: 'sizes' }, caption, make('ul', {}, ...sizes.map(line)));
}
