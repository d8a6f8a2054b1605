import type { InvocationContext } from '@azure/functions';
import { log } from '../shared/platform/log.ts';

/** Work that a timer or a queue starts. */
export type BackgroundWork = (trigger: unknown) => Promise<void>;

/**
 * Runs work for a timer or queue trigger. The work is loaded at the first call. A failure is logged with the
 * invocation it belongs to and thrown on: only so does the host deliver a queue message again.
 */
export function backgroundHandler(
  load: () => Promise<BackgroundWork>,
): (trigger: unknown, context: InvocationContext) => Promise<void> {
  return async (trigger, context) => {
    try {
      const work = await load();
      await work(trigger);
    } catch (error) {
      log.error(`${context.functionName} failed`, error, { reference: context.invocationId });
      throw error;
    }
  };
}
