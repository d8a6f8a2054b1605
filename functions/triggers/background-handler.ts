import type { InvocationContext } from '@azure/functions';
import { log } from '../../shared/platform/log.ts';
import { telemetry } from '../../shared/platform/telemetry.ts';

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
    const { functionName, invocationId } = context;
    try {
      const { startTelemetry } = await import('../start-telemetry.ts');
      const [work] = await Promise.all([load(), startTelemetry()]);
      measureWait(context);
      await telemetry.span(functionName, spanOf(trigger, context), () => work(trigger));
    } catch (error) {
      log.error(`${functionName} failed`, error, { reference: invocationId });
      throw error;
    }
  };
}

/** A message goes on from the run that sent it; the host's own trace of this invocation is linked. */
function spanOf(trigger: unknown, { invocationId, traceContext }: InvocationContext) {
  const host = traceContext?.traceParent;
  const sender = traceparentIn(trigger);
  const fields = { invocation: invocationId };
  return sender === undefined ? { fields, parent: host } : { fields, parent: sender, link: host };
}

function traceparentIn(trigger: unknown): string | undefined {
  if (typeof trigger !== 'object' || trigger === null || !('traceparent' in trigger)) return undefined;
  return typeof trigger.traceparent === 'string' ? trigger.traceparent : undefined;
}

/** The host tells of a queue message when it was put there. */
function measureWait({ functionName, triggerMetadata }: InvocationContext): void {
  const since = Date.parse(String(triggerMetadata?.['insertionTime'] ?? ''));
  if (Number.isNaN(since)) return;
  telemetry.measure('queueAge', Math.max(0, Date.now() - since) / 1000, { function: functionName });
}

const LAST_MS = 3_000;

/** Before the process ends: what was measured and not sent yet is sent, if that takes no longer than a moment. */
export async function sendLastTelemetry(): Promise<void> {
  try {
    const limit = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS).unref());
    await Promise.race([telemetry.flush(), limit]);
  } catch (error) {
    log.error('telemetry not sent', error);
  }
}
