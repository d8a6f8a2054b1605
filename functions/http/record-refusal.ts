import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import { log } from '../../shared/platform/log.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { telemetry } from '../../shared/platform/telemetry.ts';
import { startTelemetry } from '../start-telemetry.ts';
import type { WebEnvironment } from './web-environment.ts';

/** Why a request was turned away. The values are dimensions of a metric: an alert rule may ask for one by its name. */
export type RefusalReason =
  /** The platform's sign-in is off, or no setting says whose people it lets in. */
  | 'sign-in-off'
  /** Signed in at another provider, or in another tenant. */
  | 'principal-foreign'
  /** Signed in, without the role that the page asks for. */
  | 'role-missing'
  /** A changing request that did not come from our own page. */
  | 'other-site'
  /** A body over the limit of a form. */
  | 'too-large'
  /** A body that is no form. */
  | 'malformed'
  /** A way back from a provider with a state that nobody knows: forged, used up, or too late. */
  | 'unknown-state'
  /** An invitation that nobody knows: guessed, or long over. */
  | 'unknown-invitation'
  /** A link of an approval that nobody knows. */
  | 'unknown-approval';

const MINUTE = 60_000;
/** Of one reason; whoever asks a thousand times a second must not fill the log. */
const LINES_A_MINUTE = 10;

/** Says of each refusal of a reason whether it gets a line, and how many went without one before it. */
export interface LineLimit {
  take(reason: string, now: number): { unsaid: number } | undefined;
}

/** Ten lines a minute and reason. Pure but for what it remembers. */
export function createLineLimit(): LineLimit {
  const windows = new Map<string, { from: number; lines: number; unsaid: number }>();
  return {
    take(reason, now) {
      const known = windows.get(reason);
      const isOver = known === undefined || now < known.from || now - known.from >= MINUTE;
      const window = isOver ? { from: now, lines: 0, unsaid: known?.unsaid ?? 0 } : known;
      windows.set(reason, window);
      if (window.lines >= LINES_A_MINUTE) {
        window.unsaid += 1;
        return undefined;
      }
      window.lines += 1;
      const { unsaid } = window;
      window.unsaid = 0;
      return { unsaid };
    },
  };
}

const limit = createLineLimit();

/**
 * Notes a refusal for whoever watches the app. The metric `postroom.refusals` counts each one, with the dimension
 * `reason`. The log has the event `refused` with the fields `reason`, `method`, `route` (the pattern, never the path,
 * which may hold a token), `principal` (the object id; absent for a stranger) and `unsaid` (how many of this reason had
 * no line before this one): ten lines a minute of each reason.
 */
export function recordRefusal(c: Context<WebEnvironment>, reason: RefusalReason): void {
  const { config, seam } = c.get('services');
  void count(reason, config.telemetry !== undefined);
  const line = limit.take(reason, seam.now());
  if (line === undefined) return;
  const principal: Principal | undefined = c.get('principal');
  log.warn('refused', {
    reason,
    method: c.req.method,
    route: routeOf(c),
    principal: principal?.id,
    ...(line.unsaid > 0 && { unsaid: line.unsaid }),
  });
}

/** On Azure the pages have processes of their own, in which nothing else starts the telemetry. Never rejects. */
async function count(reason: RefusalReason, isMeasured: boolean): Promise<void> {
  if (isMeasured) await startTelemetry();
  telemetry.measure('refusals', 1, { reason });
}

/** The pattern of the page that was asked for, such as `/tickets/:id`; middleware stands under patterns with a star. */
function routeOf(c: Context<WebEnvironment>): string {
  const own = matchedRoutes(c).filter(({ path }) => !path.includes('*'));
  return own.at(-1)?.path ?? 'none';
}
