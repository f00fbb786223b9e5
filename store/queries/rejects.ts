/** The rejects of a job, page by page. */
import type { RejectCode } from '../../engine/errors.ts';
import type { Reject } from '../../engine/reject.ts';
import type { ReadStore } from './read-store.ts';

const pageSize = 1000;

/** All rejects of a job in the order of their sources. **Danger:** raw identity data; never for a log. */
export async function* listRejects(
  store: ReadStore,
  jobId: string,
  filter: { readonly limit?: number | undefined } = {},
): AsyncGenerator<Reject, void, undefined> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  let after = 0n;
  while (left > 0) {
    const take = Math.min(left, pageSize);
    const rows = await store.prisma.reject.findMany({
      where: { jobId, id: { gt: after } },
      orderBy: { id: 'asc' },
      take,
    });
    for (const { entityType, file, line, key, column, value, code, message } of rows) {
      yield { entityType, file, line, key, column, value, code: code as RejectCode, message };
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < take) return;
    left -= rows.length;
    after = end.id;
  }
}
