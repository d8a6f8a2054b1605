import type { AccountRef, TokenSource } from '../mailboxes/connect-inbox.ts';
import type { Mailbox, SendingProtocol } from '../mailboxes/mailbox.ts';
import { PostroomError } from '../platform/errors.ts';
import type { Seam } from '../platform/seam.ts';
import type { Secret } from '../platform/secret.ts';
import { sendOverGraph } from './graph-send.ts';
import { envelopeProblem, type OutgoingMail } from './outgoing-mail.ts';
import { relayOf } from './relay.ts';
import { refusedWithoutToken, type SendingRefusal } from './sending-refusal.ts';
import { isTokenRefused, readRefusal } from './smtp-refusal.ts';
import {
  openSmtpSession,
  type RefusedRecipient,
  type SmtpAnswer,
  type SmtpServer,
  type SmtpSession,
} from './smtp-session.ts';

/**
 * How an email is sent: as a mailbox, with its account's token, over SMTP or Microsoft Graph; or over the operator's
 * relay.
 */
export type SendingRoute =
  /** `user` is the sender address; without `protocol`, over SMTP. */
  | {
      kind: 'mailbox';
      protocol?: SendingProtocol | undefined;
      host: string;
      port: number;
      user: string;
      account: AccountRef;
    }
  /** The relay of this installation. Its address, which contains a password, is read when something is sent. */
  | { kind: 'relay' };

export type SendResult =
  /** `answer` is the server's line; some recipients may still have been refused. */
  { kind: 'sent'; answer: string; refusedRecipients: readonly RefusedRecipient[] } | Refused;

export type SignInResult = { kind: 'accepted'; answer: string } | Refused;

type Refused = { kind: 'refused' } & SendingRefusal;
type MailboxRoute = Extract<SendingRoute, { kind: 'mailbox' }>;
type Accepted = SmtpAnswer & { kind: 'accepted' };
type Outcome = { kind: 'accepted'; answer: Accepted } | Refused;
/** Runs after authentication; `allowed` is its response. */
type Next = (session: SmtpSession, allowed: Accepted) => Promise<SmtpAnswer>;

const OVER_TLS = 465;
const nobodySignsIn: Accepted = { kind: 'accepted', line: '', refusedRecipients: [] };

export interface MailSender {
  /**
   * Sends one email over its own connection. If the server refuses the token, it is refreshed once and then
   * also tried with the signed-in user's name.
   * @throws PostroomError `smtp-unreachable`, `smtp-tls`, `endpoint-refused`, `endpoint-private` (nothing
   * was sent) and `smtp-answer-lost` (it may have been sent: do not resend automatic email); `no-relay`,
   * `bad-relay` or a problem of the vault if the relay's URL is missing, invalid or cannot be read; over
   * Microsoft Graph `graph-unavailable` and `graph-answer-lost`
   */
  send(route: SendingRoute, mail: OutgoingMail): Promise<SendResult>;
  /**
   * Connects and authenticates, without sending. Throws like `send`. Over Microsoft Graph it only gets a token: no
   * request but a real email shows what the token may send.
   */
  signIn(route: SendingRoute): Promise<SignInResult>;
}

export interface MailSenderDeps {
  seam: Seam;
  config: { local: boolean };
  accessTokens: TokenSource;
  /**
   * The URL of the relay: `smtp://user:password@host:587` or `smtps://…:465`; without a user, the relay authenticates
   * the app by its IP address. Absent: there is no relay.
   * @throws PostroomError `no-relay`, `bad-relay`, or why it could not be read
   */
  relayUrl?: (() => Promise<Secret>) | undefined;
}

/** How this mailbox sends email; undefined if it does not. */
export function routeOf({ address, sending }: Mailbox): SendingRoute | undefined {
  if (sending === undefined) return undefined;
  if (sending.protocol === 'relay') return { kind: 'relay' };
  const { protocol, host, port, providerId, accountId } = sending;
  return { kind: 'mailbox', protocol, host, port, user: address, account: { providerId, accountId } };
}

const noRelay = (): Promise<never> =>
  Promise.reject(new PostroomError('no-relay', 'There is no SMTP relay.'));

/** A relay signs in with the operator's password: what is explained of an account's token would mislead. */
const ofRelay = (refusal: Refused): Refused =>
  refusal.permanent ? { ...refusal, code: 'relay-refused' } : refusal;

const isOverGraph = (route: SendingRoute): route is MailboxRoute =>
  route.kind === 'mailbox' && route.protocol === 'graph-send';

/** Sends all outgoing email. */
export function createMailSender({
  seam,
  config,
  accessTokens,
  relayUrl = noRelay,
}: MailSenderDeps): MailSender {
  /** The username that the server accepted last. */
  const signInNames = new Map<string, string>();
  const refused = (line: string): Refused => ({ kind: 'refused', ...readRefusal(line, seam.now()) });

  async function withSession<T>(server: SmtpServer, use: (session: SmtpSession) => Promise<T>): Promise<T> {
    const session = await openSmtpSession(server, { seam, local: config.local });
    try {
      return await use(session);
    } finally {
      session.close();
    }
  }

  /** Authenticates, continues if accepted, and returns the result. */
  async function through(route: SendingRoute, next: Next): Promise<Outcome> {
    const asOutcome = (answer: SmtpAnswer): Outcome =>
      answer.kind === 'accepted' ? { kind: 'accepted', answer } : refused(answer.line);
    if (route.kind === 'relay') {
      const { server, signIn } = relayOf(await relayUrl(), config);
      return withSession(server, async (session) => {
        const allowed = signIn === undefined ? nobodySignsIn : await session.signIn(signIn);
        return allowed.kind === 'refused'
          ? ofRelay(refused(allowed.line))
          : asOutcome(await next(session, allowed));
      });
    }
    const { host, port, user, account } = route;
    const server = { host, port, implicitTls: port === OVER_TLS };
    const place = `${account.providerId}/${account.accountId}/${user}`;
    let rejected: string | undefined;
    for (;;) {
      const token = await accessTokens.get(account, { host, protocol: 'smtp', rejected });
      if (token.kind !== 'token') return { kind: 'refused', ...refusedWithoutToken(token) };
      const accessToken = token.token;
      const fresh = rejected !== undefined;
      // For a shared mailbox, some servers expect its address here, others the signed-in user's name.
      const names = new Set([signInNames.get(place) ?? user, ...(fresh ? [user, token.user ?? user] : [])]);
      let outcome: Outcome | undefined;
      for (const name of names) {
        outcome = await withSession(server, async (session) => {
          const allowed = await session.signIn({ kind: 'token', user: name, accessToken });
          if (allowed.kind === 'refused') return refused(allowed.line);
          signInNames.set(place, name);
          return asOutcome(await next(session, allowed));
        });
        if (outcome.kind === 'accepted' || !isTokenRefused(outcome)) return outcome;
      }
      if (fresh && outcome !== undefined) return outcome;
      rejected = accessToken.expose();
    }
  }

  /** @param mail undefined: only the token is asked for */
  async function overGraph(route: MailboxRoute, mail: OutgoingMail | undefined): Promise<Outcome> {
    const { host, port, user, account } = route;
    let rejected: string | undefined;
    for (;;) {
      const token = await accessTokens.get(account, { host, protocol: 'graph-send', rejected });
      if (token.kind !== 'token') return { kind: 'refused', ...refusedWithoutToken(token) };
      if (mail === undefined) return { kind: 'accepted', answer: nobodySignsIn };
      const address = { host, port, user, owner: token.user, accessToken: token.token };
      const sent = await sendOverGraph({ seam, config }, address, mail);
      if (sent.kind === 'accepted') return { kind: 'accepted', answer: { ...sent, refusedRecipients: [] } };
      if (!sent.isTokenRefused || rejected !== undefined) return { kind: 'refused', ...sent.refusal };
      rejected = token.token.expose();
    }
  }

  return {
    async send(route, mail) {
      const problem = envelopeProblem(mail);
      if (problem !== undefined)
        return {
          kind: 'refused',
          asked: false,
          code: 'bad-envelope',
          reason: problem,
          permanent: true,
          retryAt: undefined,
        };
      const outcome = isOverGraph(route)
        ? await overGraph(route, mail)
        : await through(route, (session) => session.send(mail));
      if (outcome.kind === 'refused') return outcome;
      const { line, refusedRecipients } = outcome.answer;
      return { kind: 'sent', answer: line, refusedRecipients };
    },
    async signIn(route) {
      const outcome = isOverGraph(route)
        ? await overGraph(route, undefined)
        : await through(route, (_session, allowed) => Promise.resolve(allowed));
      return outcome.kind === 'refused' ? outcome : { kind: 'accepted', answer: outcome.answer.line };
    },
  };
}
