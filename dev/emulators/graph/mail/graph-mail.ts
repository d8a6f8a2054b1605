import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { EmulatedMailbox, MailServer } from '../../mail/mail-world.ts';
import { GraphError, graphErrorBody } from '../graph-error.ts';
import {
  accessDenied,
  type MailCaller,
  type MailRight,
  mayUse,
  readMailCaller,
  type TokenRules,
  userOf,
} from './access.ts';
import { answerBatch } from './batch.ts';
import { answerDelta } from './delta.ts';
import { answerFolder, answerFolders, folderPath } from './folders.ts';
import {
  fingerprint,
  type MailCall,
  type MailReply,
  type MailUser,
  type MailWorld,
  noSegment,
  type OpenMailbox,
  preference,
  segmentsOf,
  wrongMailMethod,
} from './mail-call.ts';
import { type MailTrouble, makeTrouble } from './mail-control.ts';
import { openMailState } from './mail-state.ts';
import { answerMessage, answerMessages } from './messages.ts';
import { Notifier } from './notify.ts';
import { sendMail } from './send-mail.ts';
import { answerSubscriptions } from './subscriptions.ts';
import { answerUpload, isUpload } from './upload-sessions.ts';

export interface GraphMailOptions extends TokenRules {
  /** The mail server whose mailboxes Graph shows. */
  readonly server: () => MailServer;
  readonly mailboxes: readonly EmulatedMailbox[];
  /** People of the directory, with and without a mailbox; the shared mailboxes are added. */
  readonly users: readonly MailUser[];
  /** Folder of `graph-mail.json`; absent: memory. */
  readonly stateDir?: string | undefined;
  readonly now?: () => Date;
  /** Wait before a notification is sent again, doubled each time; default 10 s. */
  readonly retryMs?: number;
}

const CONCURRENT = 4;
const RETRY_MS = 10_000;

/** The mail API of Microsoft Graph over the mailboxes of a mail server emulator. */
export class GraphMail {
  readonly world: MailWorld;
  readonly #rules: TokenRules;
  readonly #notifier: Notifier;
  /** App and mailbox → requests under way. */
  readonly #running = new Map<string, number>();

  constructor(options: GraphMailOptions, { origin, tenantId }: { origin: () => string; tenantId: string }) {
    const { server, mailboxes, stateDir, now = () => new Date() } = options;
    this.#rules = options;
    this.world = {
      origin,
      server,
      mailboxes,
      users: withSharedMailboxes(options.users, mailboxes),
      state: openMailState(stateDir === undefined ? undefined : join(stateDir, 'graph-mail.json')),
      now,
      attachments: new Map(),
      uploads: new Map(),
    };
    this.#notifier = new Notifier(this.world, { tenantId, retryMs: options.retryMs ?? RETRY_MS });
  }

  /** Resolved when nothing that happens to a subscribed mailbox from here on is missed. */
  ready(): Promise<void> {
    return this.#notifier.ready();
  }

  stop(): void {
    this.#notifier.stop();
  }

  /** @throws Error for an unknown action */
  makeTrouble(trouble: MailTrouble): void {
    makeTrouble(trouble, this.world.state, this.#notifier);
  }

  /** Whether a path belongs to mail: everything of a user except the user itself, and uploads. */
  serves(pathname: string): boolean {
    if (isUpload(pathname)) return true;
    const [root = '', ...rest] = segmentsOf(pathname) ?? [];
    return (root === 'me' && rest.length > 0) || ['users', 'subscriptions', '$batch'].includes(root);
  }

  /** Answers one request. Refusals are replies too. */
  async answer(request: IncomingMessage, url: URL, body: Buffer): Promise<MailReply> {
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const { method = 'GET' } = request;
    return this.#guarded(headers, async () => {
      if (isUpload(url.pathname)) return answerUpload(this.world, request, url, body);
      const caller = await readMailCaller(this.#rules, this.world.users, headers['authorization']);
      const { pathname: path, searchParams: query } = url;
      return this.#perform({ method, segments: segmentsOf(path) ?? [], path, query, headers, body, caller });
    });
  }

  async #guarded(
    headers: Readonly<Record<string, string>>,
    act: () => Promise<MailReply>,
  ): Promise<MailReply> {
    const ids = {
      'request-id': randomUUID(),
      ...(headers['client-request-id'] !== undefined && {
        'client-request-id': headers['client-request-id'],
      }),
    };
    try {
      const reply = await act();
      return { ...reply, headers: { ...ids, ...reply.headers } };
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return {
        status: error.status,
        body: graphErrorBody(error.code, error.message, error.detail),
        headers: {
          ...ids,
          ...(error.status === 401 && { 'www-authenticate': 'Bearer realm=""' }),
          ...(error.status === 429 && { 'retry-after': '1' }),
        },
      };
    }
  }

  async #perform(call: MailCall): Promise<MailReply> {
    const [root = '', ...below] = call.segments;
    if (root === '$batch')
      return answerBatch(call, (part) =>
        this.#guarded(part.headers, () => this.#perform({ ...part, segments: segmentsOf(part.path) ?? [] })),
      );
    if (root === 'subscriptions') return this.#subscriptions(call);
    const name = root === 'users' ? below.shift() : undefined;
    if (root !== 'me' && name === undefined) throw noSegment(root);
    const user = userOf(this.world, call.caller, name);
    if (below.length === 0) return { status: 200, body: describeUser(user) };
    const mailbox = this.#open(call.headers, user, name);
    const reply = await this.#oneOfFour(call.caller, user, () => answerMailbox(mailbox, call, below));
    const applied = [
      ...(mailbox.immutable ? ['IdType="ImmutableId"'] : []),
      ...(reply.headers?.['preference-applied'] === undefined ? [] : [reply.headers['preference-applied']]),
    ].join(', ');
    return {
      ...reply,
      headers: { ...reply.headers, ...(applied !== '' && { 'preference-applied': applied }) },
    };
  }

  async #subscriptions(call: MailCall): Promise<MailReply> {
    const reply = await answerSubscriptions(
      {
        world: this.world,
        open: (user, headers) => this.#open(headers, user, undefined),
        changed: () => this.#notifier.update(),
      },
      call,
    );
    await this.#notifier.ready();
    return reply;
  }

  #open(headers: MailCall['headers'], user: MailUser, name: string | undefined): OpenMailbox {
    const files = this.world.server().mailbox(user.upn);
    if (files === undefined)
      throw new GraphError(
        404,
        'MailboxNotEnabledForRESTAPI',
        'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
      );
    return {
      world: this.world,
      user,
      files,
      immutable: preference(headers, 'IdType')?.toLowerCase() === 'immutableid',
      url: `${this.world.origin()}/v1.0/${name === undefined ? 'me' : `users('${encodeURIComponent(name)}')`}`,
    };
  }

  /** Microsoft: "Throttling limits", Outlook service: four concurrent requests for each app and mailbox. */
  async #oneOfFour<T>({ appId }: MailCaller, { upn }: MailUser, act: () => Promise<T>): Promise<T> {
    const name = `${appId}|${upn}`;
    const running = this.#running.get(name) ?? 0;
    if (running >= CONCURRENT)
      throw new GraphError(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.');
    this.#running.set(name, running + 1);
    try {
      return await act();
    } finally {
      this.#running.set(name, (this.#running.get(name) ?? 1) - 1);
    }
  }
}

async function answerMailbox(
  mailbox: OpenMailbox,
  call: MailCall,
  below: readonly string[],
): Promise<MailReply> {
  const [root = '', ...rest] = below;
  const need = (right: MailRight): void => {
    if (!mayUse(mailbox.world, call.caller, mailbox.user, right)) throw accessDenied();
  };
  if (root === 'sendMail' && rest.length === 0) {
    need('send');
    return sendMail(mailbox, call);
  }
  need('basic');
  if (root === 'messages')
    return rest.length === 0
      ? answerMessages(mailbox, call, undefined)
      : answerMessage(mailbox, call, rest, undefined);
  if (root !== 'mailFolders') throw noSegment(root);
  const [name, part, ...further] = rest;
  if (call.method === 'POST' && (name === undefined || part === 'childFolders')) need('write');
  if (name === undefined) return answerFolders(mailbox, call, '');
  const folder = await folderPath(mailbox, name);
  if (part === 'childFolders') return answerFolders(mailbox, call, folder);
  if (part === 'messages') {
    if (further.length === 0) return answerMessages(mailbox, call, folder);
    if (further[0] === 'delta' || further[0] === 'microsoft.graph.delta')
      return answerDelta(mailbox, call, folder);
    return answerMessage(mailbox, call, further, folder);
  }
  if (part !== undefined) throw noSegment(part);
  if (call.method !== 'GET') throw wrongMailMethod();
  return answerFolder(mailbox, call, folder);
}

const describeUser = ({ oid, upn, name }: MailUser): Record<string, unknown> => ({
  id: oid,
  displayName: name,
  userPrincipalName: upn,
  mail: upn,
});

/** In Entra, a shared mailbox is a user account with sign-in blocked. */
function withSharedMailboxes(users: readonly MailUser[], mailboxes: readonly EmulatedMailbox[]): MailUser[] {
  const known = users.map((user) => ({ ...user, upn: user.upn.toLowerCase() }));
  const missing = mailboxes
    .map(({ address }) => address.toLowerCase())
    .filter((address) => !known.some(({ upn }) => upn === address));
  return [...known, ...missing.map((upn) => ({ upn, oid: objectId(upn), name: upn }))];
}

function objectId(upn: string): string {
  const hex = Buffer.from(fingerprint(upn), 'base64url').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
