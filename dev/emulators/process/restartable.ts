/** A server that a test can stop and restart, with the same state and ports. */
export interface Restartable<T> {
  /** The current or last instance. */
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
