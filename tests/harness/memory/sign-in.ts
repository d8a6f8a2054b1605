import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccessTokens } from '../../../shared/accounts/access-token.ts';
import { type Account, tokenContext } from '../../../shared/accounts/account.ts';
import { createAccountStore } from '../../../shared/accounts/account-store.ts';
import { createAccessTokens } from '../../../shared/accounts/get-access-token.ts';
import { createOAuthClient } from '../../../shared/accounts/oauth-client.ts';
import { createTokenCipher } from '../../../shared/accounts/token-encryption.ts';
import { createActivityStore } from '../../../shared/activity/activity-store.ts';
import { createAuditStore } from '../../../shared/audit/audit-store.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import type { Blobs } from '../../../shared/platform/blobs.ts';
import { openSeam, type Seam } from '../../../shared/platform/seam.ts';
import { Secret } from '../../../shared/platform/secret.ts';
import { createProviderStore } from '../../../shared/providers/provider-store.ts';
import type { MemoryTables } from './memory-tables.ts';
import { MemoryVault } from './memory-vault.ts';
import { sampleProvider } from './sample-provider.ts';

const HOUR_MS = 3_600_000;

/** The account that signs in for a mailbox: the product's own tokens, over a vault in memory and a token endpoint. */
export class SignIn {
  readonly #tables: MemoryTables;
  readonly #mailboxNow: () => Mailbox;
  readonly #now: () => number;
  readonly #vault = new MemoryVault(openSeam);
  #ready: { host: string; done: Promise<void> } | undefined;

  /** @param mailbox its current state at each use: after a change of server, a new sign-in follows */
  constructor(tables: MemoryTables, mailbox: () => Mailbox, now: () => number) {
    this.#tables = tables;
    this.#mailboxNow = mailbox;
    this.#now = now;
  }

  get #mailbox(): Mailbox {
    return this.#mailboxNow();
  }

  /** As in one process with empty caches. */
  async accessTokens(seam: Seam, storage: { tables: MemoryTables; blobs: Blobs }): Promise<AccessTokens> {
    const { host } = this.#mailbox;
    if (this.#ready?.host !== host) this.#ready = { host, done: this.#connect() };
    await this.#ready.done;
    const vault = this.#vault.behind(seam);
    const config = { local: true, demo: undefined };
    const identityAssertion = (): never => {
      throw new Error('there is no managed identity here');
    };
    const tokens = createAccessTokens({
      config,
      seam,
      vault,
      blobs: storage.blobs,
      providers: createProviderStore(storage.tables),
      accounts: createAccountStore(storage.tables),
      sealer: createTokenCipher(vault, seam),
      oauth: createOAuthClient({ config, seam, vault, identityAssertion }),
      activity: createActivityStore(storage.tables),
      audit: createAuditStore(storage.tables),
      pauseMs: 1,
      storePauseMs: 1,
    });
    // This provider issues one token for all its servers, whatever the protocol.
    return { ...tokens, get: (ref, use) => tokens.get(ref, { ...use, protocol: undefined }) };
  }

  async endToken(): Promise<void> {
    const accounts = createAccountStore(this.#tables);
    const stored = await accounts.get(this.#mailbox);
    if (stored === undefined) throw new Error('nobody has signed in');
    const ended = new Date(this.#now()).toISOString();
    const tokens = { ...stored.account.tokens, accessExpiresAt: ended, refreshAt: ended };
    await accounts.replace({ ...stored.account, tokens }, stored.etag);
  }

  async #connect(): Promise<void> {
    const { providerId, accountId, address } = this.#mailbox;
    const secret = new Secret('the secret of the app');
    const { version } = await this.#vault.set('client-secret', secret, { contentType: 'text/plain' });
    const at = new Date(this.#now()).toISOString();
    const provider = sampleProvider({
      id: providerId,
      preset: 'custom',
      endpoints: { kind: 'discovery', issuer: await tokenEndpoint() },
      mailHosts: { imap: this.#mailbox.host },
      credential: {
        kind: 'secret',
        vaultName: 'client-secret',
        version,
        setAt: at,
        expiresOn: new Date(this.#now() + 1000 * HOUR_MS).toISOString(),
      },
    });
    await createProviderStore(this.#tables).save(provider);
    const sealer = createTokenCipher(this.#vault, { now: this.#now });
    const later = new Date(this.#now() + 100 * HOUR_MS).toISOString();
    const ref = { providerId, accountId };
    const account: Account = {
      ...ref,
      identity: {
        issuer: 'https://id.example',
        subject: 'support',
        tenantId: undefined,
        objectId: undefined,
        user: address,
        name: undefined,
      },
      user: address,
      address,
      scopes: [],
      tokens: {
        access: await sealer.seal(
          new Secret('the first access token'),
          tokenContext(ref, 'access', provider),
        ),
        accessExpiresAt: later,
        receivedAt: at,
        refreshAt: later,
        refresh: await sealer.seal(
          new Secret('the first refresh token'),
          tokenContext(ref, 'refresh', provider),
        ),
        previousRefresh: undefined,
      },
      state: 'ok',
      stateSince: at,
      problem: undefined,
      retryAt: undefined,
      refusedAsOf: undefined,
      refreshBegunAt: undefined,
      consentedAt: at,
      consentedBy: 'Alex',
    };
    await createAccountStore(this.#tables).save(account);
  }
}

let endpoint: Promise<string> | undefined;

/**
 * The issuer of a provider with discovery, which answers every refresh with a new pair of tokens while the old ones stay
 * valid, as Entra does. Shared by all tests of a process, which it does not keep alive.
 */
function tokenEndpoint(): Promise<string> {
  endpoint ??= new Promise((resolve) => {
    let given = 0;
    const server = createServer((request, response) => {
      const { port } = server.address() as AddressInfo;
      const issuer = `http://127.0.0.1:${port}`;
      response.setHeader('content-type', 'application/json');
      request.resume();
      if (request.url !== '/token') {
        const endpoints = {
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
        };
        response.end(JSON.stringify({ issuer, ...endpoints }));
        return;
      }
      given += 1;
      const tokens = { access_token: `access ${given}`, refresh_token: `refresh ${given}` };
      response.end(JSON.stringify({ token_type: 'Bearer', expires_in: 100 * 3600, ...tokens }));
    });
    server.unref();
    server.listen(0, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    });
  });
  return endpoint;
}
