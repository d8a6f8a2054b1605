/** A thread for the tests of the pool: does what its task says. */
import { answerTasks } from '../../shared/platform/thread-tasks.ts';

answerTasks<string, string>(async (task) => {
  if (task === 'hang') for (;;);
  if (task === 'throw') throw new Error('on purpose');
  if (task === 'end') process.exit(3);
  if (task === 'fill') {
    const all: number[][] = [];
    for (;;) all.push(Array.from({ length: 100_000 }, (_, index) => index));
  }
  return `done: ${task}`;
});
