import { PostroomError } from '../platform/errors.ts';
import { protocolAccess, type Resource } from '../providers/protocol-access.ts';
import { type AccessTokens, type ObtainedToken, releaseTo, withoutHosts } from './access-token.ts';
import type { AccountRef } from './account.ts';
import { createTokenSource, type ObtainDeps, type Wanted } from './obtain-token.ts';
import { accountKey, createTokenCache, isTrusted, isUnexpired, toUsable } from './token-cache.ts';

/**
 * Access tokens of all accounts: cached, read from the table, or refreshed. Within this process, callers for
 * one account share one request.
 */
export function createAccessTokens(deps: ObtainDeps): AccessTokens {
  const { seam } = deps;
  const cache = createTokenCache(seam);
  const obtain = createTokenSource(deps, cache);
  const running = new Map<string, Promise<ObtainedToken>>();

  /** One request per account at a time; other callers wait and check whether its result suits them. */
  async function inTurn(
    ref: AccountRef,
    wanted: Wanted,
    suits: (answer: ObtainedToken) => boolean,
  ): Promise<ObtainedToken> {
    const key = accountKey(ref);
    for (let before = running.get(key); before !== undefined; before = running.get(key)) {
      const answer = await before;
      if (suits(answer)) return answer;
    }
    const run = obtain(ref, wanted).finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  }

  return {
    async get(ref, { host, protocol, rejected, tryNow }) {
      const resource = protocol && protocolAccess[protocol].resource;
      const found = cache.get(ref, host, resource);
      const known = found?.token.expose() === rejected ? undefined : found;
      if (known !== undefined && isTrusted(known, seam.now())) return releaseTo(host, toUsable(known));
      try {
        // A caller that waited for another caller's request may need another host or resource, so each
        // checks the result here.
        const answer = await inTurn(
          ref,
          { host, resource, rejected, tryNow },
          (one) => isFor(one, host, resource) && (one.kind !== 'token' || one.token.expose() !== rejected),
        );
        return releaseTo(host, answer);
      } catch (error) {
        // While storage is unavailable, the account can't have been removed there, and the alert about it
        // may need this very token.
        const isAway = error instanceof PostroomError && error.code === 'table-storage';
        if (!isAway || known === undefined || !isUnexpired(known, seam.now())) throw error;
        return releaseTo(host, toUsable(known));
      }
    },
    async renew(ref, { again, resource } = {}) {
      const olderThan = new Date(seam.now()).toISOString();
      return withoutHosts(await inTurn(ref, { resource, olderThan, again }, () => false));
    },
    forget(ref) {
      cache.forget(ref);
    },
  };
}

/** True when an answer to another caller also answers for this host. */
const isFor = (answer: ObtainedToken, host: string, resource: Resource | undefined): boolean =>
  answer.resource === undefined ||
  ((resource ?? answer.resource) === answer.resource && answer.hosts?.includes(host.toLowerCase()) === true);
