// Where the result goes to: a file that the user names, where the browser can write to one, or else a download.

import { make } from './dom.js';

/** The picker of the File System Access API, which is not in TypeScript's types. */
const picker = /** @type {{ showSaveFilePicker?: (options: { suggestedName: string }) => Promise<FileSystemFileHandle> }} */ (
  /** @type {unknown} */ (window)
);

/** Whether a result can be of any size. */
export const writesToFiles = () => picker.showSaveFilePicker !== undefined;

/**
 * @param {string} suggestedName
 * @returns {Promise<FileSystemFileHandle | null | undefined>} null: there are only downloads; undefined: the user does not want it
 */
export async function chooseTarget(suggestedName) {
  if (!picker.showSaveFilePicker) return null;
  try {
    return await picker.showSaveFilePicker({ suggestedName });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return undefined;
    throw error;
  }
}

/** The address of the last download: its bytes are kept until the next one. */
let address = '';

/** Downloads it. @param {Blob} blob @param {string} name @returns {HTMLAnchorElement} a link to do it again */
export function download(blob, name) {
  URL.revokeObjectURL(address);
  address = URL.createObjectURL(blob);
  const link = make('a', { href: address, download: name }, `Download ${name} again`);
  link.click();
  return link;
}
