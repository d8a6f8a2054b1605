/** A server that a test may stop and start again, over the same state and at the same ports. */
export interface Restartable<T> {
  /** The one that runs, or ran last. */
  now(): T;
  restart(whileDown: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

export async function startRestartable<T extends { stop(): Promise<void> }>(
  start: () => Promise<T>,
): Promise<Restartable<T>> {
  let running = await start();
  return {
    now: () => running,
    async restart(whileDown) {
      await running.stop();
      await whileDown();
      running = await start();
    },
    stop: () => running.stop(),
  };
}
