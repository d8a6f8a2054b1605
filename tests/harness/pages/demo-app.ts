import { type CookieJar, cookieHeader, keepCookies } from '../../../dev/cookie-jar.ts';
import { type EntraOptions, type RunningEntra, startEntra } from '../../../dev/emulators/entra/entra.ts';
import { type PageAnswer, signInAs, walkSignIn } from '../../../dev/emulators/entra/headless-sign-in.ts';
import { SIGN_IN_TENANT } from '../../../dev/host/sign-in.ts';
import { type Services, servicesOn } from '../../../functions/services.ts';
import { createWeb } from '../../../functions/web.ts';
import type { Account } from '../../../shared/accounts/account.ts';
import { invitationKey } from '../../../shared/consent/invitation.ts';
import type { Config, DemoWorld } from '../../../shared/platform/config.ts';
import type { Seam, SeamPoint } from '../../../shared/platform/seam.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { MemoryBlobs } from '../memory/memory-blobs.ts';
import { MemoryTables } from '../memory/memory-tables.ts';
import { MemoryVault } from '../memory/memory-vault.ts';
import { type Snapshot, snapshot } from '../memory/promises.ts';
import { CLIENT, REDIRECT, SECRET, tenant } from '../stack/demo-directory.ts';
import { type Claim, principalHeaderOf } from './principal-header.ts';

export const ORIGIN = new URL(REDIRECT).origin;
/** The mail server of the demo provider, to which its tokens may be sent. */
export const AT_MAIL = { host: 'localhost' };

/** A seam with an adjustable clock and injectable failures. */
export class TestSeam implements Seam {
  skewMs = 0;
  /** Runs around the effect of a point; set by a test, and without an effect if undefined. */
  around: ((point: SeamPoint, effect: () => Promise<unknown>) => Promise<unknown>) | undefined;

  async call<T>(point: SeamPoint, effect: () => Promise<T>): Promise<T> {
    if (this.around === undefined) return effect();
    return (await this.around(point, effect)) as T;
  }

  now(): number {
    return Date.now() + this.skewMs;
  }
}

export interface DemoApp {
  idp: RunningEntra;
  seam: TestSeam;
  tables: MemoryTables;
  vault: MemoryVault;
  services: Services;
  /** Another process over the same storage. */
  another(): Services;
  stop(): Promise<void>;
}

const unused = (): never => {
  throw new Error('not part of this test');
};

/** Every row of every table, to verify that nothing was written. */
export const allRows = ({ tables }: DemoApp): Snapshot => snapshot(tables, { etags: true });

/** The app's pages over storage in memory and a demo identity provider. */
export async function startDemoApp(
  options: Partial<EntraOptions> = {},
  world: Pick<DemoWorld, 'isShownAsDemo' | 'graph'> = {},
): Promise<DemoApp> {
  const idp = await startEntra({ tenants: [tenant()], ...options });
  const [at] = idp.tenants;
  if (at === undefined) throw new Error('no tenant');
  const mail = { ...AT_MAIL, port: 1 };
  const config: Config = {
    storage: { kind: 'connection-string', connectionString: '' },
    vaultUri: 'https://localhost',
    publicUrl: ORIGIN,
    adminObjectIds: [],
    managedIdentityClientId: undefined,
    identityEndpoint: false,
    alerts: { emails: [] },
    undoSendSeconds: 10,
    telemetry: undefined,
    local: true,
    platformSignIn: true,
    signInTenants: [SIGN_IN_TENANT],
    demo: {
      authority: at.issuer,
      tenant: at.id,
      clientId: CLIENT,
      clientSecret: SECRET,
      imap: mail,
      pop3: mail,
      smtp: mail,
      ...world,
    },
  };
  const seam = new TestSeam();
  const [tables, vault, blobs] = [new MemoryTables(seam), new MemoryVault(seam), new MemoryBlobs(seam)];
  const queues: Services['queues'] = { send: unused, poison: unused, clearPoison: unused };
  const build = (): Services => servicesOn({ config, seam, tables, blobs, vault, queues }, { pauseMs: 20 });
  return { idp, seam, tables, vault, services: build(), another: build, stop: () => idp.stop() };
}

export interface Reply {
  status: number;
  location: string | undefined;
  html: string;
  title: string;
}

/** A browser at the app: keeps cookies, has a signed-in user, and walks through the provider's pages. */
export class Visitor {
  readonly #web: ReturnType<typeof createWeb>;
  readonly #principal: string | undefined;
  readonly jar: CookieJar = new Map();
  readonly providerJar: CookieJar = new Map();

  constructor(
    app: Pick<DemoApp, 'services'>,
    principal: { id: string; roles: string[] } = ALEX,
    instead: Partial<Services> = {},
  ) {
    this.#web = createWeb(() => ({ ...app.services, ...instead }));
    const { id, roles } = principal;
    const claims: Claim[] = [['oid', id], ['name', id], ...roles.map((role): Claim => ['roles', role])];
    this.#principal = id === '' ? undefined : principalHeaderOf(claims);
  }

  /** A browser whose sign-in has ended. */
  static signedOut(app: DemoApp): Visitor {
    return new Visitor(app, { id: '', roles: [] });
  }

  async get(path: string): Promise<Reply> {
    if (!path.startsWith('/invite#')) {
      const reply = await this.#send(path, {});
      // A browser follows; tests of the redirect itself use `returned`.
      return reply.location?.startsWith('/oauth/result/') === true ? this.get(reply.location) : reply;
    }
    const opened = await this.open(path);
    return opened.location === undefined ? opened : this.get(opened.location);
  }

  /** The response of the redirect URI itself. */
  returned(callback: string): Promise<Reply> {
    return this.#send(callback, {});
  }

  /** Posts the link of an invitation, as the script of its page does. */
  open(link: string): Promise<Reply> {
    return this.post('/invite', { link });
  }

  head(path: string): Promise<Reply> {
    return this.#send(path, { method: 'HEAD' });
  }

  async post(path: string, fields: Record<string, string>): Promise<Reply> {
    if (path.startsWith('/invite#')) {
      const opened = await this.open(path);
      return opened.location === undefined ? opened : this.post(opened.location, fields);
    }
    return this.#send(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async #send(path: string, init: { method?: string; body?: URLSearchParams }): Promise<Reply> {
    const headers = new Headers({ origin: ORIGIN, 'sec-fetch-site': 'same-origin' });
    if (this.#principal !== undefined) headers.set('x-ms-client-principal', this.#principal);
    const cookie = cookieHeader(this.jar);
    if (cookie !== undefined) headers.set('cookie', cookie);
    const response = await this.#web.fetch(new Request(new URL(path, ORIGIN), { ...init, headers }));
    keepCookies(this.jar, response);
    const html = await response.text();
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      html,
      // Long addresses may break after their @.
      title: (/<h1[^>]*>(.*?)<\/h1>/.exec(html)?.[1] ?? '').replaceAll('<wbr/>', ''),
    };
  }

  /** Registers the demo provider through its pages; returns its ID. */
  async addDemoProvider(clientId = CLIENT): Promise<string> {
    const reply = await this.post('/providers/new', {
      preset: 'demo',
      name: 'Demo',
      clientId,
      expiresOn: '2030-01-01',
    });
    const id = /^\/providers\/([a-z2-7]{26})\/connect/.exec(reply.location ?? '')?.[1];
    if (id === undefined) throw new Error(`not saved: ${reply.status} ${reply.title}`);
    return id;
  }

  /** Creates an invitation, and returns its link as a path: `/invite#TOKEN`. */
  async invite(providerId: string, fields: Record<string, string>): Promise<string> {
    const made = await this.post(`/providers/${providerId}/invite`, { who: 'self', ...fields });
    const shown = await this.get(made.location ?? '');
    const link = /value="http[^"]+(\/invite#[\w-]{43})"/.exec(shown.html)?.[1];
    if (link === undefined) throw new Error(`no link: ${made.status} ${made.title} ${shown.title}`);
    return link;
  }

  /** From "which mailbox?" to the URL to which the provider redirects the browser. */
  async leave(
    providerId: string,
    fields: Record<string, string>,
    as: string | 'cancel',
  ): Promise<{ callback: string; authorization: URL }> {
    const started = await this.post(`/providers/${providerId}/connect`, { who: 'self', ...fields });
    const handover = await this.get(started.location ?? '');
    return this.ride(handover, as);
  }

  /** From the redirect page to the URL to which the provider redirects the browser. */
  async ride(
    handover: Reply,
    as: string | 'cancel' | 'no-approval',
  ): Promise<{ callback: string; authorization: URL }> {
    const address = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(handover.html)?.[1];
    if (address === undefined)
      throw new Error(`no way to the provider: ${handover.status} ${handover.title}`);
    const authorization = new URL(address.replaceAll('&amp;', '&'));
    return { callback: await this.walk(authorization.href, as), authorization };
  }

  /** Completes the provider's pages, and returns where it redirects the browser. */
  async walk(url: string, as: string | 'cancel' | 'no-approval'): Promise<string> {
    const end = await walkSignIn({ url, redirectUri: REDIRECT, jar: this.providerJar, answer: answers(as) });
    if (end.callback === undefined) throw new Error(`stopped at ${end.titles.join(', ')}: ${end.html}`);
    return end.callback.pathname + end.callback.search;
  }
}

/** `cancel` and `no-approval` are the choices of the support mailbox on the consent page. */
const answers =
  (as: string): PageAnswer =>
  (page) => {
    if (as === 'cancel' && page.title.startsWith('Permissions')) return { action: 'cancel' };
    if (page.title.startsWith('Accept for')) return { action: as === 'cancel' ? 'cancel' : 'accept' };
    if (page.title.startsWith('Need admin approval')) return { action: 'no-approval' };
    const upn = as === 'cancel' || as === 'no-approval' ? 'support@contoso.example' : as;
    return signInAs(upn)(page);
  };

/** The URL to which an opened invitation link leads. */
export const addressOf = (link: string): string => `/invite/${invitationKey(link.slice('/invite#'.length))}`;

export const ALEX = { id: 'alex', roles: ['admin'] };

/** Registers Demo, signs in the support mailbox, and returns the account. */
export async function connectSupport(
  app: DemoApp,
  /** Changes to the provider before anyone signs in: tokens are bound to its registration. */
  changed: Partial<Provider> = {},
): Promise<{ visitor: Visitor; providerId: string; account: Account }> {
  const visitor = new Visitor(app);
  const providerId = await visitor.addDemoProvider();
  await app.services.providers.change(providerId, (now) => ({ ...now, ...changed }));
  const { callback } = await visitor.leave(
    providerId,
    { address: 'support@contoso.example' },
    'support@contoso.example',
  );
  const reply = await visitor.get(callback);
  const [account] = await app.services.accounts.listOf(providerId);
  if (account === undefined) throw new Error(`not connected: ${reply.status} ${reply.title} ${reply.html}`);
  return { visitor, providerId, account };
}
