import type { InvocationContext } from '@azure/functions';
import { log } from '../../shared/platform/log.ts';
import { telemetry } from '../../shared/platform/telemetry.ts';

/** Work started by a timer or a queue. */
export type BackgroundWork = (trigger: unknown) => Promise<void>;

/**
 * Runs the work of a timer or queue trigger. The work is loaded at the first call. A failure is logged with
 * its invocation and rethrown: only then does the host deliver a queue message again.
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

/**
 * A queue message continues the trace of the run that sent it; the host's own trace of this invocation is
 * linked.
 */
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

/** For a queue message, the host provides the time at which it was sent. */
function measureWait({ functionName, triggerMetadata }: InvocationContext): void {
  const since = Date.parse(String(triggerMetadata?.['insertionTime'] ?? ''));
  if (Number.isNaN(since)) return;
  telemetry.measure('queueAge', Math.max(0, Date.now() - since) / 1000, { function: functionName });
}

const LAST_MS = 3_000;

/** Sends buffered telemetry before the process ends, if that takes only a moment. */
export async function sendLastTelemetry(): Promise<void> {
  try {
    const limit = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS).unref());
    await Promise.race([telemetry.flush(), limit]);
  } catch (error) {
    log.error('telemetry not sent', error);
  }
}
