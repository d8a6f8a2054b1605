import type { Account } from '../../shared/accounts/account.ts';
import type { Finding } from '../../shared/alerts/alert.ts';
import type { HealthFacts } from '../../shared/alerts/health-facts.ts';
import type { Cursor } from '../../shared/mailboxes/cursor.ts';
import type { FetchFailure, Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { FetchState } from '../../shared/mailboxes/mailbox-store.ts';
import { codeFrom } from '../../shared/platform/problem.ts';
import { iso, START } from '../harness/memory/sample-findings.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';

export const MINUTE = 60_000;
export const ago = (minutes: number): string => iso(START - minutes * MINUTE);

/** A provider of the facts, by its ID. */
export const provider = (id = 'p1', name = 'Contoso') => sampleProvider({ id, name, preset: 'microsoft' });

export const mailbox = (id: string, change: Partial<Mailbox> = {}): Mailbox => ({
  id,
  address: `${id}@contoso.example`,
  protocol: 'imap',
  host: 'mail.contoso.example',
  port: 993,
  folder: 'INBOX',
  providerId: 'p1',
  accountId: 'a1',
  enabled: true,
  intervalMinutes: 1,
  afterFetch: { kind: 'mark-seen' },
  createdAt: ago(10_000),
  ...change,
});

/** A mailbox's fetch failure, since an hour ago. */
export const failure = (code: string, change: Partial<FetchFailure> = {}): FetchFailure => ({
  state: 'action-required',
  code: codeFrom(code),
  problem: 'It said: no.',
  since: ago(60),
  failures: 3,
  triedAt: ago(1),
  nextTryAt: ago(-1),
  ...change,
});
export const retrying = (code: string, change: Partial<FetchFailure> = {}): FetchFailure =>
  failure(code, { state: 'retrying', ...change });

export const account = (change: Partial<Account> = {}): Account =>
  ({
    providerId: 'p1',
    accountId: 'a1',
    identity: {
      issuer: 'https://login.example',
      subject: 's',
      tenantId: undefined,
      objectId: undefined,
      user: 'sam@contoso.example',
      name: 'Sam',
    },
    user: 'sam@contoso.example',
    address: 'support@contoso.example',
    scopes: [],
    tokens: {
      access: undefined,
      accessExpiresAt: iso(START),
      refreshAt: iso(START),
      refresh: 'sealed',
      previousRefresh: undefined,
    },
    state: 'action-required',
    stateSince: ago(50),
    problem: { code: 'AADSTS50173', message: 'The sign-in has ended.' },
    retryAt: undefined,
    refusedAsOf: undefined,
    refreshBegunAt: undefined,
    consentedAt: iso(START),
    consentedBy: 'Alex',
    ...change,
  }) as Account;

export const cursor = (change: Partial<Cursor> = {}): Cursor => ({
  validity: '1',
  position: { uid: 9 },
  left: [],
  waiting: [],
  lastMailAt: undefined,
  ...change,
});

/** An installation of these mailboxes, each without a failure fetched a minute ago. */
export function facts(
  mailboxes: readonly Mailbox[],
  {
    state,
    ...change
  }: Partial<Omit<HealthFacts, 'mailboxes' | 'state'>> & { state?: Partial<FetchState> } = {},
): HealthFacts {
  return {
    mailboxes,
    accounts: [],
    providers: [provider()],
    beats: new Map(),
    failing: [],
    abandoned: [],
    quarantined: undefined,
    suspects: new Set(),
    ...change,
    state: {
      cursors: new Map(),
      failing: new Map(),
      successes: new Map(mailboxes.map(({ id }) => [id, ago(1)])),
      shards: new Map(),
      hours: new Map(),
      recoveries: new Map(),
      loops: [],
      ...state,
    },
  };
}

/** Mailboxes that have failed for these reasons for two hours. */
export const stopped = (
  failing: Readonly<Record<string, FetchFailure>>,
  change: Partial<HealthFacts> & { boxes?: readonly Mailbox[] } = {},
): HealthFacts => {
  const { boxes, ...rest } = change;
  const mailboxes = boxes ?? Object.keys(failing).map((id) => mailbox(id));
  return facts(mailboxes, {
    ...rest,
    state: {
      successes: new Map(mailboxes.map(({ id }) => [id, ago(120)])),
      failing: new Map(Object.entries(failing)),
      ...rest.state,
    },
  });
};

/** `kind subject-kind id`, for findings that only need to be told apart. */
export const named = (findings: readonly Finding[]): string[] =>
  findings.map(({ kind, subject }) => `${kind} ${subject.kind} ${subject.id}`);
