// The page as somebody uses it.

import { readFile } from 'node:fs/promises';

/** How the page can save: into a file, which here lies in storage of the browser's own, or by a download. */
const SAVING = {
  file: () => {
    window.showSaveFilePicker = async ({ suggestedName }) => {
      const directory = await navigator.storage.getDirectory();
      return directory.getFileHandle(suggestedName, { create: true });
    };
  },
  download: () => delete window.showSaveFilePicker,
};

export class Page {
  /** @param {import('playwright-core').Page} page */
  constructor(page) {
    this.page = page;
  }

  /** @param {Awaited<ReturnType<typeof import('./chromium.js').open>>} browser @param {keyof SAVING} saving */
  static async open(browser, saving = 'download') {
    const page = await browser.context.newPage();
    await page.addInitScript(SAVING[saving]);
    await page.goto(browser.origin);
    return new Page(page);
  }

  /** Chooses a file, and waits until all of it was read. Returns what is said of it. @param {string} path */
  async look(path) {
    await this.page.setInputFiles('#file', path);
    return this.verdict();
  }

  /** What the page says once it has read all. */
  async verdict() {
    const said = () => this.page.evaluate(() => {
      const [status, trouble] = ['status', 'trouble'].map((id) => document.getElementById(id));
      return trouble.textContent || (status.textContent.includes(':') ? status.textContent : '');
    });
    await this.until(said);
    return said();
  }

  /** Waits until it gives something. @param {() => Promise<unknown>} given */
  async until(given, seconds = 120) {
    for (const end = Date.now() + seconds * 1000; !(await given()); ) {
      if (Date.now() > end) throw new Error(`it never came: ${given}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** @param {string} format @param {string} codec extensions, `bytes` for no format, nothing for no codec */
  async target(format, codec) {
    await this.page.getByRole('combobox', { name: 'To', exact: true }).selectOption(format);
    await this.page.getByRole('combobox', { name: 'Compress by', exact: true }).selectOption(codec);
  }

  /** Converts, and returns what was downloaded: its name and bytes. */
  async convert() {
    const downloads = [];
    const keep = (download) => downloads.push(download);
    this.page.on('download', keep);
    await this.page.getByRole('button', { name: 'Convert and save' }).click();
    const said = async () => (await this.texts('#trouble'))[0];
    await this.until(async () => downloads.length > 0 || (await said()));
    this.page.off('download', keep);
    if (downloads.length === 0) throw new Error(await said());
    return { name: downloads[0].suggestedFilename(), bytes: await readFile(await downloads[0].path()) };
  }

  /** The text of the elements that the selector finds. @param {string} selector */
  texts(selector) {
    return this.page.locator(selector).allTextContents();
  }

  close() {
    return this.page.close();
  }
}
