// A Chromium without a window, on a page that is served on loopback.

import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** Serves a directory. @param {string} root */
async function serve(root) {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url, 'http://x').pathname);
    try {
      const body = await readFile(join(root, path === '/' ? 'index.html' : path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'text/html' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/**
 * Opens a browser with a profile of its own.
 *
 * @param {{ page: string, executable: string }} where the directory of the page, and the browser
 */
export async function open({ page, executable }) {
  const profile = await mkdtemp(join(tmpdir(), 'profile-'));
  const server = await serve(page);
  const options = { executablePath: executable, args: FLAGS, viewport: { width: 1000, height: 900 } };
  const context = await chromium.launchPersistentContext(profile, options);
  /** Whatever any page or worker asked for. @type {string[]} */
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  return {
    origin: server.origin,
    context,
    requests,
    renderers: () => renderers(profile),
    close: async () => {
      await context.close();
      server.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** A file of a process, nothing if it has just ended. @param {string} pid @param {string} name */
function proc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** The most memory that each tab of that profile ever held, in bytes. @param {string} profile */
function renderers(profile) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parent = new Map(pids.map((pid) => [pid, proc(pid, 'stat').replace(/^.*\) \S+ (\d+).*$/s, '$1')]));
  const isOurs = (pid) => pid !== undefined && (proc(pid, 'cmdline').includes(profile) || isOurs(parent.get(pid)));
  const tabs = pids.filter((pid) => proc(pid, 'cmdline').includes('--type=renderer') && isOurs(pid));
  return tabs.map((pid) => Number(/VmHWM:\s*(\d+) kB/.exec(proc(pid, 'status'))?.[1]) * 1024);
}
