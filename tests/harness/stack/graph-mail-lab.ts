import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RunningGraph, startGraph } from '../../../dev/emulators/graph/graph.ts';
import { startMailServer } from '../../../dev/emulators/mail/mail-server.ts';
import type { MailServer, MailServerKind } from '../../../dev/emulators/mail/mail-world.ts';
import type { MailboxFiles } from '../../../dev/emulators/mail/mailbox-files.ts';
import {
  issuer,
  type MailLab,
  makeMailLab,
  sales,
  sam,
  support,
  type TokenWishes,
  tenant,
} from './mail-lab.ts';

export interface GraphAnswer {
  readonly status: number;
  // Graph's rows differ by URL; each test reads the fields it asked for.
  readonly body: Record<string, unknown> & {
    value?: Record<string, unknown>[];
    error?: { code: string; message: string };
  };
  readonly text: string;
  readonly headers: Headers;
}

export interface GraphRequest {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A mail server with Microsoft Graph before it, for the tests of one file. */
export function useGraphMail(kind: MailServerKind) {
  let lab: MailLab;
  let server: MailServer;
  let graph: RunningGraph;

  const start = async (): Promise<RunningGraph> =>
    startGraph({
      tenantId: tenant,
      jwks: lab.jwks,
      ...(graph !== undefined && { port: graph.port }),
      stateDir: lab.stateDir,
      mail: {
        server: () => server,
        mailboxes: lab.options.mailboxes,
        users: [support, sales, sam].map((upn) => ({ upn, oid: `object of ${upn}`, name: `Name of ${upn}` })),
        issuer,
        jwks: lab.jwks,
        stateDir: lab.stateDir,
        retryMs: 50,
      },
    });

  beforeAll(async () => {
    lab = await makeMailLab(kind);
    server = await startMailServer(lab.options);
    graph = await start();
  });
  afterAll(async () => {
    await graph?.stop();
    await server?.stop();
    lab?.remove();
  });

  /** A token for Graph, of a person (`scp`) or of an app (`roles`). */
  const token = (upn: string, wishes: TokenWishes = {}): Promise<string> =>
    lab.token(upn, { scp: 'Mail.ReadWrite Mail.Send', audience: 'https://graph.microsoft.com', ...wishes });

  /** `path` is below `/v1.0`, or a whole address as in a nextLink. */
  async function ask(bearer: string, path: string, request: GraphRequest = {}): Promise<GraphAnswer> {
    const { method = 'GET', body, headers = {} } = request;
    const url = path.startsWith('http') ? path : `${graph.url}/v1.0/${path}`;
    const answer = await fetch(url, {
      method,
      headers: {
        // A restart of Graph must not meet an old connection.
        connection: 'close',
        authorization: `Bearer ${bearer}`,
        ...(body !== undefined && typeof body !== 'string' && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: answer.status,
      body: (isJson && text !== '' ? JSON.parse(text) : {}) as GraphAnswer['body'],
      text,
      headers: answer.headers,
    };
  }

  /** The same mailbox over IMAP. */
  async function imapAs(user: string): Promise<ImapFlow> {
    const auth = { user, accessToken: await lab.token(user) };
    const client = new ImapFlow({ ...server.imap, secure: true, tls: { ca: lab.ca }, auth, logger: false });
    client.on('error', () => {});
    onTestFinished(() => client.close());
    await client.connect();
    return client;
  }

  function mailbox(address: string): MailboxFiles {
    const found = server.mailbox(address);
    if (found === undefined) throw new Error(`No mailbox ${address}`);
    return found;
  }

  /** Removes every email of a mailbox. */
  async function empty(address: string): Promise<void> {
    const files = mailbox(address);
    for (const folder of await files.folders())
      for (const email of (await files.emails(folder)) ?? []) await files.remove(email);
  }

  return {
    lab: () => lab,
    server: () => server,
    graph: () => graph,
    async restartGraph() {
      await graph.stop();
      graph = await start();
    },
    token,
    ask,
    imapAs,
    mailbox,
    empty,
  };
}

export type GraphMailUnderTest = ReturnType<typeof useGraphMail>;
