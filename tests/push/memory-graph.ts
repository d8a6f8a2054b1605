import { foreignCode } from '../../shared/platform/problem.ts';
import type {
  GraphFailure,
  GraphSubscriptions,
  NewSubscription,
} from '../../shared/push/graph-subscriptions.ts';

/** The subscriptions at Graph, behind the same port: what exists, and the next failure. */
export class MemoryGraph implements GraphSubscriptions {
  readonly existing = new Map<string, NewSubscription>();
  /** Every request, such as `renew graph-1`. */
  readonly requests: string[] = [];
  /** Answers all requests until it is removed. */
  failing: GraphFailure | undefined;
  /** Called after a subscription was made and before its response. */
  onCreate: () => Promise<void> = () => Promise.resolve();
  #made = 0;

  async create(wanted: NewSubscription) {
    this.requests.push('create');
    if (this.failing !== undefined) return this.failing;
    this.#made += 1;
    const subscriptionId = `graph-${this.#made}`;
    this.existing.set(subscriptionId, wanted);
    await this.onCreate();
    return { kind: 'made', subscriptionId, expiresAt: wanted.expiresAt } as const;
  }

  async renew(subscriptionId: string, expiresAt: string) {
    this.requests.push(`renew ${subscriptionId}`);
    if (this.failing !== undefined) return this.failing;
    const found = this.existing.get(subscriptionId);
    if (found === undefined) return { kind: 'gone' } as const;
    this.existing.set(subscriptionId, { ...found, expiresAt });
    return { kind: 'made', subscriptionId, expiresAt } as const;
  }

  async remove(subscriptionId: string) {
    this.requests.push(`remove ${subscriptionId}`);
    if (this.failing !== undefined) return this.failing;
    this.existing.delete(subscriptionId);
    return { kind: 'removed' } as const;
  }
}

export const refusal: GraphFailure = {
  kind: 'refused',
  code: foreignCode('ErrorAccessDenied'),
  said: 'Access is denied. Check credentials and try again.',
  isDenied: true,
};
export const outage = (afterMs = 0): GraphFailure => ({
  kind: 'unavailable',
  code: 'http-503',
  said: 'It answered with status 503.',
  afterMs,
});
