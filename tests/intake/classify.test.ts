import { describe, expect, it, test } from 'vitest';
import { demoMails } from '../../dev/demo/mail/demo-mail.ts';
import { classify } from '../../shared/intake/classify.ts';
import type { MessageClass } from '../../shared/message-class/message-class.ts';
import {
  corpusFiles,
  corpusMail,
  isFullCorpus,
  ownMail,
  read,
  readMail,
} from '../harness/memory/mail-files.ts';

const SUPPORT = 'support@contoso.example';

async function classOf(lines: readonly string[]): Promise<MessageClass> {
  return classify(await readMail(Buffer.from(lines.join('\r\n'))), SUPPORT);
}

const letter = (headers: readonly string[], body: readonly string[] = ['Hello']): string[] => [
  ...(headers.some((line) => line.startsWith('From:')) ? [] : ['From: Kim <kim@customer.example>']),
  `To: ${SUPPORT}`,
  ...(headers.some((line) => line.startsWith('Subject:')) ? [] : ['Subject: My order']),
  ...headers,
  '',
  ...body,
];

const report = (type: string, part: readonly string[]): string[] =>
  letter(
    [`Content-Type: multipart/report; report-type=${type}; boundary=b`, 'MIME-Version: 1.0'],
    [
      '--b',
      'Content-Type: text/plain',
      '',
      'A report.',
      '--b',
      `Content-Type: message/${type}`,
      '',
      ...part,
      '--b--',
      '',
    ],
  );

describe('the declarations of an email', () => {
  test.each<[string, MessageClass, string[]]>([
    ['nothing', 'person', letter([])],
    ['Auto-Submitted: no', 'person', letter(['Auto-Submitted: no'])],
    [
      'that Exchange should not answer it',
      'person',
      letter(['X-Auto-Response-Suppress: DR, OOF, AutoReply']),
    ],
    ['Auto-Submitted: auto-generated', 'notification', letter(['Auto-Submitted: auto-generated'])],
    ['Auto-Submitted: auto-replied', 'auto-reply', letter(['Auto-Submitted: auto-replied'])],
    ['Precedence: auto_reply', 'auto-reply', letter(['Precedence: auto_reply'])],
    ['X-Autoreply', 'auto-reply', letter(['X-Autoreply: yes'])],
    ['a vacation response of Sieve', 'out-of-office', letter(['Auto-Submitted: auto-replied (vacation)'])],
    [
      'an absence note of Exchange',
      'out-of-office',
      letter([
        'Subject: Automatische Antwort: My order',
        'Auto-Submitted: auto-generated',
        'X-Auto-Response-Suppress: All',
      ]),
    ],
    [
      'an absence note under a subject of its own',
      'out-of-office',
      letter(['Auto-Submitted: auto-replied'], ['Ich bin bis Montag nicht im Büro.']),
    ],
    ['List-Id', 'list', letter(['List-Id: <talk.lists.example>', 'Precedence: list'])],
    ['List-Unsubscribe alone', 'list', letter(['List-Unsubscribe: <mailto:off@shop.example>'])],
    [
      'List-Unsubscribe on what a program made',
      'notification',
      letter(['List-Unsubscribe: <mailto:off@shop.example>', 'Auto-Submitted: auto-generated']),
    ],
    ['Precedence: bulk', 'list', letter(['Precedence: bulk'])],
    ['an empty return path', 'notification', letter(['Return-Path: <>'])],
    [
      'a failed delivery',
      'bounce',
      report('delivery-status', [
        'Reporting-MTA: dns; a',
        '',
        'Final-Recipient: rfc822; x@y.example',
        'Action: failed',
      ]),
    ],
    [
      'a delayed delivery',
      'bounce',
      report('delivery-status', [
        'Reporting-MTA: dns; a',
        '',
        'Final-Recipient: rfc822; x@y.example',
        'Action: delayed',
      ]),
    ],
    [
      'a delivery that worked',
      'auto-reply',
      report('delivery-status', [
        'Reporting-MTA: dns; a',
        '',
        'Final-Recipient: rfc822; x@y.example',
        'Action: delivered',
      ]),
    ],
    [
      'a read receipt',
      'auto-reply',
      report('disposition-notification', ['Disposition: manual-action/MDN-sent-manually; displayed']),
    ],
    ['a spam complaint', 'complaint', report('feedback-report', ['Feedback-Type: abuse', 'User-Agent: x'])],
    ['X-Failed-Recipients', 'bounce', letter(['X-Failed-Recipients: x@y.example'])],
    [
      'that this Postroom sent it',
      'own',
      letter([
        'From: Postroom <support@contoso.example>',
        'X-Postroom: alert',
        'Auto-Submitted: auto-generated',
      ]),
    ],
    [
      'that another Postroom sent it',
      'notification',
      letter(['X-Postroom: alert', 'Auto-Submitted: auto-generated']),
    ],
  ])('%s classify it as %s', async (_, expected, lines) => {
    expect(await classOf(lines)).toBe(expected);
  });
});

describe('an email of tests/mail', () => {
  test.each<[string, MessageClass]>([
    ['bounce-qmail.eml', 'bounce'],
    ['bounce-domino.eml', 'bounce'],
    ['bounce-exchange-55.eml', 'bounce'],
    ['bounce-groupwise.eml', 'bounce'],
    ['bounce-status-only.eml', 'bounce'],
    ['out-of-office-exchange.eml', 'out-of-office'],
    ['complaint-arf.eml', 'complaint'],
    ['list-mail.eml', 'list'],
    ['auto-reply-of-a-ticket-system.eml', 'auto-reply'],
    ['invitation-accepted.eml', 'person'],
    ['quoted-bounce.eml', 'person'],
    ['outlook-two-attachments.eml', 'person'],
  ])('%s is of the class %s', async (name, expected) => {
    expect(classify(await readMail(ownMail(name)), SUPPORT)).toBe(expected);
  });

  it('names the message and the recipient of a report', async () => {
    const { automatic } = await readMail(ownMail('complaint-arf.eml'));
    expect(automatic.report).toEqual({
      kind: 'feedback',
      isSuccess: false,
      messageIds: ['<lamp@contoso.example>'],
      recipients: [],
    });
  });
});

describe('a bounce', () => {
  test.each([
    [
      'quotes one',
      letter(
        ['Subject: Undeliverable: Lamp'],
        ['I got this from you:', '> did not reach the following recipient(s):'],
      ),
    ],
    [
      'forwards one',
      letter(
        ['Subject: FW: Undeliverable: Lamp'],
        ['From: postmaster@old.example', 'Your message could not be delivered.'],
      ),
    ],
    [
      'writes of a parcel',
      letter(
        ['Subject: Delivery failed'],
        ['The courier was not able to deliver. The address does not exist.'],
      ),
    ],
    [
      'answers an absence note',
      letter(['Subject: RE: Automatic reply: My order', 'X-Auto-Response-Suppress: OOF']),
    ],
    [
      'is on holiday',
      letter(['Subject: My order'], ['I am on vacation next week, please send it on Monday.']),
    ],
  ])('is not confused with email of a person who %s sent', async (_, lines) => {
    expect(await classOf(lines)).toBe('person');
  });
});

describe('on public collections', () => {
  const classesIn = async (folder: string): Promise<Map<string, MessageClass>> => {
    const found = new Map<string, MessageClass>();
    for (const path of corpusFiles()) {
      if (!path.startsWith(folder) || /LICENSE|SOURCE|_reply_text/.test(path)) continue;
      const outcome = await read(corpusMail(path));
      if (outcome.kind === 'mail') found.set(path, classify(outcome.mail, SUPPORT));
    }
    return found;
  };
  const share = (classes: ReadonlyMap<string, MessageClass>, ...wanted: MessageClass[]): number =>
    [...classes.values()].filter((one) => wanted.includes(one)).length / classes.size;

  it('detects at least 94 % of the reports of about 100 mail systems', async () => {
    const all = await classesIn('sisimai-bounces');
    // Besides bounces and complaints, the set contains absence notes, notifications, and bounces forwarded by people.
    const reports = new Map([...all].filter(([path]) => !/\/(?:not|rfc3834-)/.test(path)));
    expect(share(reports, 'bounce', 'complaint')).toBeGreaterThan(0.94);
    const named = [...reports].filter(([path]) =>
      /lhost-(?:office365|exchange20|outlook)|rfc3464-|\/arf-(?:0|1)/.test(path),
    );
    const missed = named.filter(([, one]) => one !== 'bounce' && one !== 'complaint').map(([path]) => path);
    expect(missed).toEqual([]);
  });

  it('detects at least 88 % of older bounces, and classifies none of the rest as a complaint', async () => {
    const all = await classesIn('flufl-bounce');
    expect(share(all, 'bounce')).toBeGreaterThan(isFullCorpus ? 0.88 : 0.8);
    expect(share(all, 'complaint')).toBe(0);
  });

  it('classifies no ordinary message of a help desk as a report or an automatic reply', async () => {
    const ordinary: MessageClass[] = ['person', 'list', 'notification'];
    const mails = demoMails(new Date(0), SUPPORT);
    for (const { name, raw } of mails) {
      const one = classify(await readMail(raw), SUPPORT);
      expect([name, one], name).toEqual([name, name === 'bounce' ? 'bounce' : expect.toBeOneOf(ordinary)]);
    }
    for (const folder of ['talon', 'zbateson', 'mailpit'])
      expect(share(await classesIn(folder), ...ordinary)).toBe(1);
    const spam = await classesIn('spamassassin');
    const wrong = [...spam].filter(
      ([path, one]) => !ordinary.includes(one) && !/BOUNCE|CHALLENGE|fp-bug-5909/.test(path),
    );
    expect(wrong).toEqual([]);
  });
});
