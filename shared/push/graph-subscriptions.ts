import { z } from 'zod';
import { PostroomError } from '../platform/errors.ts';
import { type Code, codeFrom } from '../platform/problem.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { type Answer, guardedFetch } from '../providers/guarded-fetch.ts';

/** Microsoft Graph did not do what was asked. `said` contains no secret. */
export type GraphFailure =
  /** A person has to change something. `isDenied`: the account lacks a permission. */
  | { kind: 'refused'; code: Code; said: string; isDenied: boolean }
  /** The subscription is not there any more. */
  | { kind: 'gone' }
  /** Postroom tries again, no earlier than `afterMs` from now. */
  | { kind: 'unavailable'; code: Code; said: string; afterMs: number };

export interface NewSubscription {
  resource: string;
  notificationUrl: string;
  clientState: Secret;
  /** ISO time. */
  expiresAt: string;
}

/** A subscription as Graph made it; it may shorten the life. */
export interface MadeSubscription {
  kind: 'made';
  subscriptionId: string;
  expiresAt: string;
}

/** The subscriptions of one account at Graph. */
export interface GraphSubscriptions {
  create(wanted: NewSubscription): Promise<MadeSubscription | GraphFailure>;
  /** Also answers a `reauthorizationRequired`. */
  renew(subscriptionId: string, expiresAt: string): Promise<MadeSubscription | GraphFailure>;
  /** One that is already gone counts as removed. */
  remove(subscriptionId: string): Promise<{ kind: 'removed' } | GraphFailure>;
}

const made = z.object({
  id: z.string().min(1).max(200),
  expirationDateTime: z.iso.datetime({ offset: true }),
});
const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

/**
 * https://learn.microsoft.com/graph/api/resources/subscription
 * @param graph origin of Microsoft Graph, such as `https://graph.microsoft.com`
 * @param token of an account that may read the mailbox's email
 */
export function graphSubscriptions(
  graph: string,
  token: Secret,
  { seam, local }: { seam: Seam; local: boolean },
): GraphSubscriptions {
  async function ask(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: Readonly<Record<string, string>>,
  ): Promise<Answer | GraphFailure> {
    try {
      return await seam.call(`graph.subscription-${method.toLowerCase()}`, () =>
        guardedFetch(
          `${graph}/v1.0/subscriptions${path}`,
          {
            method,
            headers: { authorization: `Bearer ${token.expose()}`, 'content-type': 'application/json' },
            ...(body !== undefined && { body: JSON.stringify(body) }),
          },
          { local },
        ),
      );
    } catch (error) {
      if (!(error instanceof PostroomError)) throw error;
      return { kind: 'unavailable', code: error.code, said: error.message, afterMs: 0 };
    }
  }

  return {
    async create({ resource, notificationUrl, clientState, expiresAt }) {
      const answer = await ask('POST', '', {
        changeType: 'created',
        resource,
        notificationUrl,
        lifecycleNotificationUrl: notificationUrl,
        expirationDateTime: expiresAt,
        clientState: clientState.expose(),
      });
      return 'kind' in answer ? answer : subscriptionIn(answer, 201);
    },
    async renew(subscriptionId, expirationDateTime) {
      const answer = await ask('PATCH', `/${encodeURIComponent(subscriptionId)}`, { expirationDateTime });
      return 'kind' in answer ? answer : subscriptionIn(answer, 200);
    },
    async remove(subscriptionId) {
      const answer = await ask('DELETE', `/${encodeURIComponent(subscriptionId)}`);
      if ('kind' in answer) return answer;
      return answer.status === 204 || answer.status === 404 ? { kind: 'removed' } : failureIn(answer);
    },
  };
}

function subscriptionIn(answer: Answer, status: 200 | 201): MadeSubscription | GraphFailure {
  const read = answer.status === status ? made.safeParse(jsonOf(answer)) : undefined;
  if (read?.success !== true) return failureIn(answer);
  const { id, expirationDateTime } = read.data;
  return { kind: 'made', subscriptionId: id, expiresAt: new Date(expirationDateTime).toISOString() };
}

/** Statuses that pass by themselves: https://learn.microsoft.com/graph/errors */
const PASSING = new Set([401, 408, 409, 423, 425, 429, 500, 502, 503, 504, 509]);

function failureIn(answer: Answer): GraphFailure {
  const { status, headers } = answer;
  if (status === 404) return { kind: 'gone' };
  const read = failure.safeParse(jsonOf(answer));
  const code = codeFrom(read.success ? read.data.error.code : `http-${status}`);
  const said = read.success ? read.data.error.message.slice(0, 300) : `It answered with status ${status}.`;
  if (status >= 200 && status < 300) return { kind: 'unavailable', code, said, afterMs: 0 };
  if (!PASSING.has(status)) return { kind: 'refused', code, said, isDenied: status === 403 };
  const seconds = Number(headers['retry-after']);
  return { kind: 'unavailable', code, said, afterMs: Number.isFinite(seconds) ? seconds * 1000 : 0 };
}

function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
