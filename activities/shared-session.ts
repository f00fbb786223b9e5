/** Work that shares a session of the store. */

/**
 * Waits for all of it: whichever fails, the others have to end before the session can be rolled back.
 *
 * @throws what failed first; what fails after it may only say that the transaction is aborted
 */
export async function allEnded<Work extends readonly unknown[]>(
  work: Work,
): Promise<{ -readonly [Each in keyof Work]: Awaited<Work[Each]> }> {
  try {
    return await Promise.all(work);
  } catch (error) {
    await Promise.allSettled(work);
    throw error;
  }
}
