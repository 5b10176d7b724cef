// The ways to a file: choose it, drop it, paste it.

import { element } from './dom.js';

/** @param {(file: File) => void} chosen */
export function onFile(chosen) {
  const input = element('file', HTMLInputElement);
  input.addEventListener('change', () => input.files?.[0] && chosen(input.files[0]));

  const text = element('text', HTMLTextAreaElement);
  const instead = (/** @type {File} */ file) => {
    input.value = '';
    chosen(file);
  };
  const pasted = (/** @type {string} */ content) => instead(new File([content], 'pasted'));
  element('look-at-text', HTMLButtonElement).addEventListener('click', () => pasted(text.value));
  document.addEventListener('paste', (event) => {
    const data = event.clipboardData;
    if (!data || event.target === text) return;
    event.preventDefault();
    if (data.files[0]) return instead(data.files[0]);
    element('paste', HTMLDetailsElement).open = true;
    text.value = data.getData('text');
    pasted(text.value);
  });

  // A drag leaves each element that it passes: it is over once none is left.
  let entered = 0;
  const show = (/** @type {number} */ step) => {
    entered = step === 0 ? 0 : entered + step;
    document.body.classList.toggle('dragging', entered > 0);
  };
  addEventListener('dragenter', () => show(1));
  addEventListener('dragleave', () => show(-1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    show(0);
    const file = event.dataTransfer?.files[0];
    if (file) instead(file);
  });
}
