import { parentPort } from 'node:worker_threads';
import { describeError } from './errors.ts';
import type { ThreadMessage } from './thread-pool.ts';

/**
 * The thread's side of `createThreadPool`: reports that the code is loaded, then runs one task after the
 * other.
 * @param work may throw: the pool then terminates the thread
 * @param moved buffers of a value that are transferred instead of copied
 */
export function answerTasks<Task, Value>(
  work: (task: Task) => Promise<Value>,
  moved: (value: Value) => ArrayBuffer[] = () => [],
): void {
  const say = (message: ThreadMessage<Value>, buffers: ArrayBuffer[] = []): void =>
    parentPort?.postMessage(message, buffers);
  parentPort?.on('message', (task: Task) => {
    work(task).then(
      (value) => say({ value }, moved(value)),
      (error: unknown) => say({ failure: describeError(error) }),
    );
  });
  say({ ready: true });
}
