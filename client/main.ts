#!/usr/bin/env node
/** The `lockstep` command. */
import { runCommandLine } from './command-line.ts';
import { processEnvironment } from './environment.ts';

// A reader that has seen enough (`| head`) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
}

// Set, not exited with: what was written to a pipe must be read first.
process.exitCode = await runCommandLine(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: processEnvironment,
});
