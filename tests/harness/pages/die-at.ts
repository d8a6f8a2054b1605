import type { SeamPoint } from '../../../shared/platform/seam.ts';
import { ProcessDied } from '../memory/faulty-seam.ts';
import type { TestSeam } from './demo-app.ts';

/**
 * Lets the process of an app die after its nth call to the outside, counted from 1: the effect of that call has happened,
 * and nothing that is called later reaches the world.
 * @returns `end` brings the process back, and says at which call it died; undefined where there were fewer calls
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
