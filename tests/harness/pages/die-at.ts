import type { SeamPoint } from '../../../shared/platform/seam.ts';
import { ProcessDied } from '../memory/faulty-seam.ts';
import type { TestSeam } from './demo-app.ts';

/**
 * Crashes the process of an app after its nth call to the outside, counted from 1: the effect of that call has happened,
 * and no later call reaches the outside.
 * @returns `end` restores the process, and returns the call at which it crashed; undefined if there were fewer calls
 */
export function dieAt(seam: TestSeam, call: number): { end(): SeamPoint | undefined } {
  let calls = 0;
  let died: SeamPoint | undefined;
  seam.around = async (point, effect) => {
    if (died !== undefined) throw new ProcessDied();
    calls += 1;
    const answer = await effect();
    if (calls !== call) return answer;
    died = point;
    throw new ProcessDied();
  };
  return {
    end() {
      seam.around = undefined;
      return died;
    },
  };
}
