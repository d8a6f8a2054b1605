import { signInAs, walkSignIn } from '../../dev/emulators/entra/headless-sign-in.ts';

export interface Reply {
  status: number;
  location: string | undefined;
  html: string;
}

/** A browser without a window at the running app: keeps cookies and sends forms as a browser does. */
export class Visitor {
  readonly #origin: string;
  readonly #jar = new Map<string, string>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  get(path: string): Promise<Reply> {
    return this.#ask(path);
  }

  post(path: string, fields: Record<string, string>): Promise<Reply> {
    return this.#ask(path, new URLSearchParams(fields));
  }

  /** Signs in as one of the practice people by the id on the local host's sign-in page. */
  async signIn(person: string): Promise<void> {
    await this.post('/.auth/login/aad', { person, post_login_redirect_uri: '/' });
  }

  /** Registers the practice provider, signs `address` in there and adds the mailbox; gives its id. */
  async connectPracticeMailbox(address: string, server: { host: string; port: number }): Promise<string> {
    const draft = await this.get('/providers/new?preset=practice');
    const saved = await this.post('/providers/new', { ...valuesOf(draft.html), preset: 'practice' });
    const providerId = /^\/providers\/([a-z2-7]{26})\/connect/.exec(saved.location ?? '')?.[1];
    if (providerId === undefined) throw refused('The provider was not saved', saved);
    const started = await this.post(`/providers/${providerId}/connect`, { who: 'self', address });
    const handover = await this.get(started.location ?? '');
    const way = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(handover.html)?.[1];
    if (way === undefined) throw refused('There is no way to the provider', handover);
    const end = await walkSignIn({
      url: way.replaceAll('&amp;', '&'),
      redirectUri: `${this.#origin}/oauth/callback`,
      answer: signInAs(address),
    });
    if (end.callback === undefined) throw new Error(`The sign-in stopped at ${end.titles.join(', ')}`);
    const returned = await this.get(end.callback.pathname + end.callback.search);
    const isOver = returned.location?.startsWith('/oauth/result/') === true;
    const back = isOver ? await this.get(returned.location ?? '') : returned;
    const account = /account=([\w.-]+)/.exec(back.location ?? '')?.[1];
    if (account === undefined) throw refused('The consent did not come through', back);
    const added = await this.post('/mailboxes/new', {
      address,
      account,
      protocol: 'imap',
      host: server.host,
      port: String(server.port),
      folder: 'INBOX',
      after: 'mark-seen',
      moveFolder: '',
      interval: '1',
    });
    if (!(added.location ?? '').endsWith('/connected')) throw refused('The mailbox was not opened', added);
    const list = await this.get('/mailboxes');
    const mailboxId = /\/mailboxes\/([a-z2-7]{26})\/edit/.exec(list.html)?.[1];
    if (mailboxId === undefined) throw refused('The mailbox is not in the list', list);
    return mailboxId;
  }

  async #ask(path: string, body?: URLSearchParams): Promise<Reply> {
    const headers = new Headers({ origin: this.#origin, 'sec-fetch-site': 'same-origin' });
    const cookie = [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (cookie !== '') headers.set('cookie', cookie);
    const response = await fetch(new URL(path, this.#origin), {
      redirect: 'manual',
      headers,
      ...(body !== undefined && { method: 'POST', body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      this.#jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return {
      status: response.status,
      location: response.headers.get('location') ?? undefined,
      html: await response.text(),
    };
  }
}

/** What a form of the page proposes. */
function valuesOf(html: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of html.matchAll(/<input[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(tag)?.[1];
    const value = /\bvalue="([^"]*)"/.exec(tag)?.[1];
    if (name !== undefined && value !== undefined) fields[name] = value;
  }
  return fields;
}

function refused(what: string, { status, html }: Reply): Error {
  const text = html.replace(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ').replace(/\s+/g, ' ');
  return new Error(`${what} (${status}): ${text.slice(0, 600)}`);
}
