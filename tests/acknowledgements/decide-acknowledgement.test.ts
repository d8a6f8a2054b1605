import { describe, expect, it, test } from 'vitest';
import {
  type AcknowledgementDecision,
  type AcknowledgingMailbox,
  type ArrivedMail,
  decideAcknowledgement,
  MAX_AGE_HOURS,
  type SilenceReason,
  silenceReasons,
} from '../../shared/acknowledgements/decide-acknowledgement.ts';
import { classify } from '../../shared/intake/classify.ts';
import {
  corpusFiles,
  corpusMail,
  isFullCorpus,
  ownMail,
  read,
  readMail,
} from '../harness/memory/mail-files.ts';

const SUPPORT = 'support@contoso.example';
const NOW = Date.parse('2026-11-28T12:00:00.000Z');
const mailbox: AcknowledgingMailbox = {
  acknowledges: true,
  ownAddresses: new Set([SUPPORT, 'sales@contoso.example']),
};

/** An email as it arrives in the mailbox, opening a ticket. */
async function arrived(raw: Uint8Array, change: Partial<ArrivedMail> = {}): Promise<ArrivedMail> {
  const mail = await readMail(raw);
  return {
    ...mail,
    messageClass: classify(mail, SUPPORT),
    receivedAt: new Date(NOW - 60_000).toISOString(),
    opensTicket: true,
    failsAuthentication: false,
    isOwn: false,
    isFirstFetch: false,
    ...change,
  };
}

const letter = (headers: readonly string[], from = 'Kim <kim@customer.example>'): Uint8Array =>
  Buffer.from([`From: ${from}`, `To: ${SUPPORT}`, 'Subject: My order', ...headers, '', 'Hello'].join('\r\n'));

const decide = async (
  raw: Uint8Array,
  change: Partial<ArrivedMail> = {},
  box: Partial<AcknowledgingMailbox> = {},
): Promise<AcknowledgementDecision> =>
  decideAcknowledgement(await arrived(raw, change), { ...mailbox, ...box }, NOW);
const reasonOf = async (...given: Parameters<typeof decide>): Promise<SilenceReason | 'sent'> => {
  const decision = await decide(...given);
  return decision.kind === 'send' ? 'sent' : decision.reason;
};

describe('an email of a person', () => {
  it('that opens a ticket is acknowledged to its sender', async () => {
    expect(await decide(letter([]))).toEqual({ kind: 'send', to: 'kim@customer.example' });
    expect(await decide(letter(['Auto-Submitted: no']))).toMatchObject({ kind: 'send' });
  });

  it('is acknowledged at its Reply-To within the domain of From, and never at another domain', async () => {
    expect(await decide(letter(['Reply-To: desk@customer.example']))).toEqual({
      kind: 'send',
      to: 'desk@customer.example',
    });
    expect(await decide(letter(['Reply-To: victim@elsewhere.example']))).toEqual({
      kind: 'send',
      to: 'kim@customer.example',
    });
  });

  test.each<[string, SilenceReason, Partial<ArrivedMail>]>([
    ['joins a ticket', 'not-new', { opensTicket: false }],
    ['fails DMARC', 'unauthenticated', { failsAuthentication: true }],
    ['was there before Postroom', 'first-fetch', { isFirstFetch: true }],
    ['is old', 'old', { receivedAt: new Date(NOW - MAX_AGE_HOURS * 3_600_000 - 1).toISOString() }],
    ['has a Message-ID of ours', 'own', { isOwn: true }],
    ['has no address', 'no-address', { from: undefined, replyTo: [] }],
    ['reads like a bounce', 'automatic', { messageClass: 'bounce' }],
  ])('is not acknowledged if it %s', async (_, reason, change) => {
    expect(await reasonOf(letter([]), change)).toBe(reason);
    expect(silenceReasons[reason]).toMatch(/\.$/);
  });

  it('is acknowledged up to the last millisecond of the age limit', async () => {
    const receivedAt = new Date(NOW - MAX_AGE_HOURS * 3_600_000).toISOString();
    expect(await reasonOf(letter([]), { receivedAt })).toBe('sent');
  });

  it('is not acknowledged where acknowledgements are switched off', async () => {
    expect(await reasonOf(letter([]), {}, { acknowledges: false })).toBe('off');
  });
});

describe('a header', () => {
  test.each<[string, SilenceReason | 'sent']>([
    ['Auto-Submitted: auto-generated', 'auto-submitted'],
    ['Auto-Submitted: auto-replied; x=1', 'auto-submitted'],
    ['Auto-Submitted: something-new', 'auto-submitted'],
    ['Return-Path: <>', 'empty-return-path'],
    ['Precedence: bulk', 'precedence'],
    ['Precedence: Junk', 'precedence'],
    ['Precedence: list', 'precedence'],
    ['Precedence: auto_reply', 'precedence'],
    ['Precedence: first-class', 'sent'],
    ['List-Id: <talk.lists.example>', 'list'],
    ['List-Unsubscribe: <mailto:off@shop.example>', 'list'],
    ['List-Whatever: x', 'list'],
    ['X-Auto-Response-Suppress: All', 'suppressed'],
    ['X-Auto-Response-Suppress: DR, RN, OOF, AutoReply', 'suppressed'],
    ['X-Auto-Response-Suppress: OOF', 'suppressed'],
    ['X-Auto-Response-Suppress: DR, RN', 'sent'],
    ['X-Auto-Response-Suppress: None', 'sent'],
    ['X-Autoreply: yes', 'responder'],
    ['X-Failed-Recipients: x@y.example', 'report'],
    ['X-Postroom: alert', 'own'],
  ])('%s: %s', async (header, reason) => {
    expect(await reasonOf(letter([header]))).toBe(reason);
  });
});

describe('a sender', () => {
  test.each<[string, SilenceReason | 'sent']>([
    ['no-reply@shop.example', 'no-reply'],
    ['noreply@shop.example', 'no-reply'],
    ['noreply-42@shop.example', 'no-reply'],
    ['orders.do-not-reply@shop.example', 'no-reply'],
    ['donotreply@shop.example', 'no-reply'],
    ['nepasrepondre@shop.example', 'no-reply'],
    ['nicht-antworten@shop.example', 'no-reply'],
    ['MAILER-DAEMON@mx.example', 'machine-address'],
    ['postmaster@mx.example', 'machine-address'],
    ['talk-bounces@lists.example', 'machine-address'],
    ['owner-talk@lists.example', 'machine-address'],
    ['talk-request@lists.example', 'machine-address'],
    ['bounce+id=7@mailer.example', 'machine-address'],
    [SUPPORT, 'own-address'],
    ['Sales@contoso.example', 'own-address'],
    ['support+ticket.7@contoso.example', 'own-address'],
    ['norepl@customer.example', 'sent'],
    ['reply@customer.example', 'sent'],
    ['nora.plyer@customer.example', 'sent'],
    ['rootes@customer.example', 'sent'],
    ['bouncer@club.example', 'sent'],
    ['request@customer.example', 'sent'],
    ['john.answers@customer.example', 'sent'],
  ])('%s: %s', async (address, reason) => {
    expect(await reasonOf(letter([], address))).toBe(reason);
  });

  it('that asks for replies to a no-reply address is not acknowledged', async () => {
    expect(await reasonOf(letter(['Reply-To: noreply@customer.example']))).toBe('no-reply');
  });
});

describe('of the email of tests/mail and the public collections', () => {
  test.each([
    'bounce-qmail.eml',
    'bounce-domino.eml',
    'bounce-exchange-55.eml',
    'bounce-groupwise.eml',
    'bounce-status-only.eml',
    'out-of-office-exchange.eml',
    'complaint-arf.eml',
    'list-mail.eml',
  ])('%s is not acknowledged', async (name) => {
    expect(await reasonOf(ownMail(name))).not.toBe('sent');
  });

  /** Email in these sets that is acknowledged, each with the reason. */
  const misses: Readonly<Record<string, string>> = {
    'sisimai-bounces/_split/mbox-0/0035.eml': 'a person forwards a bounce',
    'sisimai-bounces/maildir/bsd/lhost-sendmail-14.eml': 'a person forwards a bounce',
    'sisimai-bounces/maildir/err/make-test-36.eml': 'a person forwards a bounce',
    'sisimai-bounces/maildir/not/is-not-bounce-01.eml': 'a person writes',
    'sisimai-bounces/maildir/not/is-not-bounce-02.eml': 'a person attaches an email',
    'flufl-bounce/tests/data/groupwise_03.txt': 'a person replies',
    'flufl-bounce/tests/data/simple_20.txt': 'a gateway without a mark, under the subject of what it refused',
  };

  /** Without the email of people, who are to be acknowledged. */
  const shareOfMisses = (sent: readonly string[], all: number): number => {
    const people = sent.filter((path) => misses[path]?.startsWith('a person') === true).length;
    return (sent.length - people) / (all - people);
  };

  /** Paths of a set that are acknowledged, and the size of the set. */
  const acknowledgedOf = async (
    folder: string,
    skipped: RegExp = /LICENSE|SOURCE/,
  ): Promise<{ sent: string[]; all: number }> => {
    const sent: string[] = [];
    let all = 0;
    for (const path of corpusFiles()) {
      if (!path.startsWith(folder) || /LICENSE|SOURCE/.test(path) || skipped.test(path)) continue;
      const raw = corpusMail(path);
      if ((await read(raw)).kind !== 'mail') continue;
      all += 1;
      if ((await reasonOf(raw)) === 'sent') sent.push(path);
    }
    return { sent, all };
  };

  it('at least 99 % of the bounces and automatic replies of about 100 mail systems are not', async () => {
    const { sent, all } = await acknowledgedOf('sisimai-bounces');
    expect(sent.filter((path) => misses[path] === undefined)).toEqual([]);
    expect(shareOfMisses(sent, all)).toBeLessThan(0.01);
  });

  it('at least 99 % of older bounces are not', async () => {
    const { sent, all } = await acknowledgedOf('flufl-bounce');
    expect(sent.filter((path) => misses[path] === undefined)).toEqual([]);
    expect(shareOfMisses(sent, all)).toBeLessThan(isFullCorpus ? 0.01 : 0.05);
  });

  it('people get their acknowledgement', async () => {
    const { sent, all } = await acknowledgedOf('talon', /_reply_text/);
    expect(sent.length / all).toBeGreaterThan(0.9);
  });
});
