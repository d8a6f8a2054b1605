import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import { log } from '../../shared/platform/log.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { telemetry } from '../../shared/platform/telemetry.ts';
import { startTelemetry } from '../start-telemetry.ts';
import type { WebEnvironment } from './web-environment.ts';

/** Why a request was refused. The values are dimensions of a metric that alert rules may use. */
export type RefusalReason =
  /** The platform's sign-in is off, or no setting restricts it to tenants. */
  | 'sign-in-off'
  /** Signed in with another provider, or in another tenant. */
  | 'principal-foreign'
  /** Signed in without the required role. */
  | 'role-missing'
  /** A state-changing request that did not come from our own page. */
  | 'other-site'
  /** A body larger than any form. */
  | 'too-large'
  /** A body that is not a form. */
  | 'malformed'
  /** A callback with an unknown state: forged, used or expired. */
  | 'unknown-state'
  /** An unknown invitation: guessed, or expired long ago. */
  | 'unknown-invitation'
  /** An unknown approval link. */
  | 'unknown-approval'
  /** An event without the clientState of a subscription of ours: forged, or late. */
  | 'forged-event';

const MINUTE = 60_000;
/** Per reason, so that a flood of requests does not fill the log. */
const LINES_A_MINUTE = 10;

/** Decides whether a refusal is logged, and counts those that were not. */
export interface LineLimit {
  take(reason: string, now: number): { suppressed: number } | undefined;
}

/** Ten lines a minute per reason. Pure except for its counters. */
export function createLineLimit(): LineLimit {
  const windows = new Map<string, { from: number; lines: number; suppressed: number }>();
  return {
    take(reason, now) {
      const known = windows.get(reason);
      const isOver = known === undefined || now < known.from || now - known.from >= MINUTE;
      const window = isOver ? { from: now, lines: 0, suppressed: known?.suppressed ?? 0 } : known;
      windows.set(reason, window);
      if (window.lines >= LINES_A_MINUTE) {
        window.suppressed += 1;
        return undefined;
      }
      window.lines += 1;
      const { suppressed } = window;
      window.suppressed = 0;
      return { suppressed };
    },
  };
}

const limit = createLineLimit();

/**
 * Records a refusal for monitoring. The metric `postroom.refusals` counts each one, with the dimension
 * `reason`. The log has the event `refused` with the fields `reason`, `method`, `route` (the pattern, never
 * the path, which may contain a token), `principal` (object ID; absent without a sign-in) and `suppressed`
 * (refusals of this reason not logged since the last line): at most ten lines a minute per reason.
 */
export function recordRefusal(c: Context<WebEnvironment>, reason: RefusalReason): void {
  const { config, seam } = c.get('services');
  const principal: Principal | undefined = c.get('principal');
  noteRefusal(
    { reason, method: c.req.method, route: routeOf(c), principal: principal?.id },
    { isMeasured: config.telemetry !== undefined, now: seam.now() },
  );
}

/** The same for a request that is not one of the pages'. */
export function noteRefusal(
  refusal: {
    reason: RefusalReason;
    times?: number;
    method: string;
    route: string;
    principal?: string | undefined;
  },
  { isMeasured, now }: { isMeasured: boolean; now: number },
): void {
  const { times = 1, ...fields } = refusal;
  void count(fields.reason, times, isMeasured);
  const line = limit.take(fields.reason, now);
  if (line === undefined) return;
  log.warn('refused', { ...fields, ...(line.suppressed > 0 && { suppressed: line.suppressed }) });
}

/**
 * On Azure the pages run in their own processes, where nothing else starts the telemetry. Never rejects.
 */
async function count(reason: RefusalReason, times: number, isMeasured: boolean): Promise<void> {
  if (isMeasured) await startTelemetry();
  telemetry.measure('refusals', times, { reason });
}

/** The pattern of the requested page, such as `/tickets/:id`; middleware has patterns with a star. */
function routeOf(c: Context<WebEnvironment>): string {
  const own = matchedRoutes(c).filter(({ path }) => !path.includes('*'));
  return own.at(-1)?.path ?? 'none';
}
