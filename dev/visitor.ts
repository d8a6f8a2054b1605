import { type CookieJar, cookieHeader, keepCookies } from './cookie-jar.ts';
import { signInAs, walkSignIn } from './emulators/entra/headless-sign-in.ts';
import { MAIL_SCOPES } from './emulators/entra/scopes.ts';
import { formValues } from './form-values.ts';

export interface Reply {
  status: number;
  /** The redirect target, as a path; undefined without a redirect. */
  location: string | undefined;
  html: string;
}

/**
 * A person who uses the pages of a running Postroom, without a browser: cookies, forms, and the redirects
 * to the provider and back.
 */
export class Visitor {
  readonly #origin: string;
  readonly #jar: CookieJar = new Map();
  /** A separate cookie jar for each person at the provider. */
  readonly #providerJars = new Map<string, CookieJar>();

  /** @param origin such as http://localhost:7071 */
  constructor(origin: string) {
    this.#origin = origin;
  }

  get(path: string): Promise<Reply> {
    return this.#send(path, undefined);
  }

  post(path: string, fields: Readonly<Record<string, string>>): Promise<Reply> {
    return this.#send(path, new URLSearchParams(fields));
  }

  /** Signs in at the local host as one of the demo people, by object ID. */
  async signIn(person: string): Promise<void> {
    await this.post('/.auth/login/aad', { person, post_login_redirect_uri: '/' });
  }

  /**
   * Registers the demo provider with the values its form suggests, and signs in a mailbox's account.
   * @param ways how the account is to be used; absent: over IMAP and SMTP, without push, so that each email waits
   * for a fetch
   * @returns the account, as the mailbox form names it
   * @throws Error that names the page on which it stopped
   */
  async connect(address: string, ways: readonly string[] = ['imap', 'smtp']): Promise<string> {
    const draft = await this.get('/providers/new?preset=demo');
    return this.connectAt({ ...formValues(draft.html), preset: 'demo' }, address, ways);
  }

  /**
   * Goes from nothing to a fetched mailbox: provider, sign-in, mailbox.
   * @returns the mailbox's ID
   */
  async connectMailbox(
    address: string,
    imap: { host: string; port: number },
    ways?: readonly string[],
  ): Promise<string> {
    return this.addMailbox(await this.connect(address, ways), address, imap);
  }

  /**
   * Registers a provider and signs in a mailbox's account there.
   * @param provider fields of its form; an expiry is filled in
   * @param ways what the account shall be allowed, such as `imap` and `graph-push`; absent: the usual
   * @returns the account, as the mailbox form names it
   * @throws Error that names the page on which it stopped
   */
  async connectAt(
    provider: Readonly<Record<string, string>>,
    address: string,
    ways?: readonly string[],
  ): Promise<string> {
    const expiresOn = new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10);
    const saved = await this.post('/providers/new', { expiresOn, ...provider });
    if (saved.status !== 303) throw stoppedAt(`the provider ${provider['name']}`, saved);
    const chosen = ways && { ways: 'yes', ...Object.fromEntries(ways.map((way) => [way, 'on'])) };
    const back = await this.#signInAt(pathOf(saved), { who: 'self', address, ...chosen });
    const account = new URL(back.location ?? '', this.#origin).searchParams.get('account');
    if (account === null) throw stoppedAt('the return to Postroom', back);
    return account;
  }

  /**
   * Signs in a mailbox's account again, from the page that an alert links to.
   * @param page such as `/providers/ID/connect?mailbox=ID`
   */
  async signInAgain(page: string, address: string): Promise<void> {
    const proposed = formValues((await this.get(page)).html);
    const back = await this.#signInAt(page.split('?')[0] ?? '', { ...proposed, address });
    if (back.status !== 303) throw stoppedAt('the return to Postroom', back);
  }

  /**
   * “Send over Microsoft Graph instead”, with the sign-in that it asks for.
   * @param page the connection test of the mailbox
   */
  async sendOverGraph(page: string, address: string): Promise<void> {
    const back = await this.#signInAt(page.replace(/test$/, 'send-over-graph'), { address });
    if (!/\/connected\?flash=sends-over-graph$/.test(back.location ?? ''))
      throw stoppedAt('sending over Microsoft Graph', back);
  }

  /** Enters a new client secret on the provider's own page. */
  async replaceSecret(page: string, secret: string): Promise<void> {
    const proposed = formValues((await this.get(page)).html);
    const expiresOn = new Date(Date.now() + 300 * 86_400_000).toISOString().slice(0, 10);
    const saved = await this.post(page, { ...proposed, credential: 'secret', secret, expiresOn });
    if (saved.status !== 303) throw stoppedAt('the new secret', saved);
  }

  /** Submits the form that redirects to the provider, signs in there, and returns. */
  async #signInAt(page: string, fields: Readonly<Record<string, string>>): Promise<Reply> {
    const started = await this.post(page, fields);
    const handover = await this.get(started.location ?? '');
    const way = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(handover.html)?.[1];
    if (way === undefined) throw stoppedAt('the way to the provider', handover);
    const end = await walkSignIn({
      url: way.replaceAll('&amp;', '&'),
      redirectUri: `${this.#origin}/oauth/callback`,
      jar: this.#jarAtProvider(fields['address'] ?? ''),
      answer: signInAs(fields['address'] ?? ''),
    });
    if (end.callback === undefined) throw new Error(`The demo sign-in stopped at: ${end.titles.join(', ')}`);
    const back = await this.get(end.callback.pathname + end.callback.search);
    // After a failed sign-in, the page that says why.
    return back.location?.startsWith('/oauth/result/') === true ? this.get(back.location) : back;
  }

  /**
   * Adds a mailbox, which Postroom opens before it saves it.
   * @returns its id
   * @param server where it is read; without a protocol, over IMAP
   * @param way where its account may send; without a protocol, over SMTP; undefined: receive only
   */
  async addMailbox(
    account: string,
    address: string,
    server: { protocol?: string; host: string; port: number },
    way?: { protocol?: string; host: string; port: number },
  ): Promise<string> {
    const sending = way && {
      smtpAccount: account,
      sendingProtocol: way.protocol ?? 'smtp',
      smtpHost: way.host,
      smtpPort: String(way.port),
    };
    const saved = await this.post('/mailboxes/new', {
      address,
      account,
      protocol: server.protocol ?? 'imap',
      host: server.host,
      port: String(server.port),
      folder: 'INBOX',
      after: 'mark-seen',
      moveFolder: '',
      interval: '1',
      ...sending,
    });
    const id = /^\/mailboxes\/([^/]+)\/connected$/.exec(saved.location ?? '')?.[1];
    if (id === undefined) throw stoppedAt(`the mailbox ${address}`, saved);
    return id;
  }

  /** An access token for mail from the Entra emulator itself, as another app of the same name would get it. */
  async accessToken(
    user: string,
    app: {
      tenant: { authorizeUrl: string; tokenUrl: string };
      clientId: string;
      clientSecret: string;
    },
  ): Promise<string> {
    const redirectUri = `${this.#origin}/oauth/callback`;
    const client = { client_id: app.clientId, redirect_uri: redirectUri };
    const query = { ...client, response_type: 'code', scope: [...MAIL_SCOPES, 'openid'].join(' ') };
    const end = await walkSignIn({
      url: `${app.tenant.authorizeUrl}?${new URLSearchParams({ ...query, state: 'bench', nonce: 'bench' })}`,
      redirectUri,
      jar: this.#jarAtProvider(user),
      answer: signInAs(user),
    });
    const code = end.callback?.searchParams.get('code') ?? '';
    const secret = { client_secret: app.clientSecret, grant_type: 'authorization_code', code };
    const response = await fetch(app.tenant.tokenUrl, {
      method: 'POST',
      body: new URLSearchParams({ ...client, ...secret, scope: MAIL_SCOPES.join(' ') }),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`The Entra emulator gave no token: status ${response.status}.`);
    return token;
  }

  #jarAtProvider(user: string): CookieJar {
    const jar = this.#providerJars.get(user) ?? new Map<string, string>();
    this.#providerJars.set(user, jar);
    return jar;
  }

  async #send(path: string, body: URLSearchParams | undefined): Promise<Reply> {
    const cookie = cookieHeader(this.#jar);
    const response = await fetch(new URL(path, this.#origin), {
      redirect: 'manual',
      headers: {
        origin: this.#origin,
        'sec-fetch-site': 'same-origin',
        ...(cookie !== undefined && { cookie }),
      },
      ...(body !== undefined && { method: 'POST', body }),
    });
    keepCookies(this.#jar, response);
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      html: await response.text(),
    };
  }
}

const pathOf = ({ location = '' }: Reply): string => location.split('?')[0] ?? '';

function stoppedAt(where: string, { status, html }: Reply): Error {
  const title = /<h1[^>]*>(.*?)<\/h1>/.exec(html)?.[1] ?? 'no page';
  const alert = /role="alert"[^>]*>(.*?)<\/(?:div|p|section)>/s.exec(html)?.[1]?.replace(/<[^>]*>/g, ' ');
  return new Error(`The demo setup stopped at ${where}: status ${status}, "${title}" ${alert ?? ''}`.trim());
}
