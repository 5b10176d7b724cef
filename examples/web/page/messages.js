// What the page and its worker say to each other.

/**
 * @typedef {import('./forms.js').Form} Form
 *
 * @typedef {{ task: 'look', file: File, form: Form | null }} Look
 * Find out what the file is; with a form, take it for that.
 *
 * @typedef {{ task: 'convert', file: File, source: Form, target: Form, handle: FileSystemFileHandle | null }} Convert
 * Write it in another form to the handle, or into a blob if there is none.
 *
 * @typedef {{ text: string, isCut: boolean }} Row
 * A record: its JSON text, or of length-prefixed ones their text; only its beginning if it is very long.
 *
 * @typedef {{ label: string, bytes: number, isIt: boolean }} Size
 * So many bytes in a codec; `isIt`: that of the file.
 *
 * @typedef {{ kind: 'progress', read: number, of: number, pass: number, passes: number }} Progress
 * @typedef {{ kind: 'detected', form: Form, isGuess: boolean }} Detected
 * @typedef {{ kind: 'sample', rows: Row[] | null, start: string, sampled: number, sizes: Size[] }} Sample
 * The first records, or none where the file has no format; its first bytes as text; and what the first `sampled` bytes take
 * in each codec.
 * @typedef {{ kind: 'whole', records: number | null, raw: number }} Whole
 * All was read, and it is sound: so many records, and bytes without compression.
 * @typedef {{ kind: 'written', bytes: number, blob: Blob | null }} Written
 * @typedef {{ kind: 'failed', code: string, message: string, records: number | null }} Failed
 * Why the work ended, and how many good records there were before that, where they were counted.
 *
 * @typedef {Progress | Detected | Sample | Whole | Written | Failed} Message
 */

/** The most records that are shown. */
export const SHOWN = 100;

/** The most bytes of a result that is kept in a blob, where there is no file to write to. */
export const BLOB_LIMIT = 1 << 30;
