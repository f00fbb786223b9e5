#!/usr/bin/env node
// The `lockstep` command: runs the command line on the pinned Node, whatever Node is on the PATH.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'client', 'main.ts');
// A published package holds what was built: Node does not strip types below node_modules.
const main = existsSync(source) ? source : join(root, 'dist', 'client', 'main.js');
const pinned = join(root, 'node_modules', 'node', 'bin', 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const args = [main, ...process.argv.slice(2)];

// npx puts a shell between us, which dies of a signal without passing it on.
const isBelowNpm = process.env.npm_command !== undefined;

if (process.execve && !isBelowNpm) {
  // Becoming the other process costs nothing; the warning that this is experimental is not for users.
  process.removeAllListeners('warning');
  process.execve(node, [node, ...args], process.env);
}
const child = spawn(node, args, { stdio: 'inherit' });
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
  process.on(signal, () => {
    // A terminal's Ctrl-C reaches the child by itself; twice would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
if (isBelowNpm) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 200);
}
child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
