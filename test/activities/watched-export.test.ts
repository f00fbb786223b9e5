/** A source that says nothing is given up; one that tells of progress, or fails, is not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { exportWatched } from '../../activities/watched-export.ts';
import type { Connector, ExtractedFile } from '../../connectors/connector.ts';
import { LockstepError } from '../../engine/errors.ts';

type Exporting = Pick<Connector, 'export'>;

const file: ExtractedFile = {
  source: 'people.csv',
  file: 'people.csv',
  rows: 1,
  bytes: 1,
  sha256: '',
  delimiter: ',',
};

function watch(connector: Exporting, limitMs: number, signal = new AbortController().signal) {
  const source = { name: 'people.csv', options: { file: 'people.csv' } };
  const request = { source, directory: '/nowhere', onProgress: () => {}, signal };
  return exportWatched(connector, request, limitMs);
}

test('a source that never answers is given up, whether it hears of it or not', async () => {
  const deaf: Exporting = { export: () => new Promise(() => {}) };
  expect(await watch(deaf, 20)).toEqual({ silentSeconds: 0 });
  let heard = false;
  const listening: Exporting = {
    export: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          heard = true;
          reject(signal.reason);
        });
      }),
  };
  expect(await watch(listening, 1000)).toEqual({ silentSeconds: 1 });
  expect(heard).toBe(true);
});

test('one that tells of progress takes the time it needs', async () => {
  const slow: Exporting = {
    async export({ onProgress }) {
      for (let done = 1; done <= 8; done++) {
        await sleep(100);
        onProgress({ done, total: 8, unit: 'bytes' });
      }
      return [file];
    },
  };
  expect(await watch(slow, 500)).toEqual({ file });
});

test('what a source fails with, and the end of the look itself, are passed on', async () => {
  const gone: Exporting = {
    export: async () => {
      throw new LockstepError('SourceUnavailable', 'people.csv does not exist');
    },
  };
  await expect(watch(gone, 500)).rejects.toMatchObject({ code: 'SourceUnavailable' });
  const cancel = new AbortController();
  const waiting: Exporting = {
    export: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  const look = watch(waiting, 60_000, cancel.signal);
  cancel.abort(new Error('cancelled'));
  await expect(look).rejects.toThrow('cancelled');
});
