import { describe, expect, it, test } from 'vitest';
import { bounceExplanations, bounceInWords } from '../../shared/bounces/bounce-explanations.ts';
import { bounceReason } from '../../shared/bounces/bounce-reason.ts';
import { readBounce } from '../../shared/bounces/read-bounce.ts';
import { classify } from '../../shared/intake/classify.ts';
import { type Bounce, bounceReasons } from '../../shared/tickets/bounce.ts';
import { processorTime } from '../harness/measure-time.ts';
import { corpusFiles, corpusMail, ownMail, read, readMail } from '../harness/memory/mail-files.ts';

const bouncesOf = async (raw: Uint8Array): Promise<Bounce[]> => readBounce(await readMail(raw));

describe('a bounce of tests/mail', () => {
  test.each<[string, Partial<Bounce>[]]>([
    [
      'bounce-exchange-online.eml',
      [
        {
          messageId: '<ticket.3.abcdef@contoso.example>',
          recipient: 'kim@customer.example',
          status: '5.1.10',
          said: '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient kim@customer.example not found by SMTP address lookup',
          kind: 'permanent',
          reason: 'no-mailbox',
        },
      ],
    ],
    [
      'bounce-postfix-delayed.eml',
      [
        {
          messageId: '<ticket.4.abcdef@contoso.example>',
          recipient: 'kim@customer.example',
          status: '4.4.1',
          kind: 'delayed',
          reason: 'network',
        },
      ],
    ],
    [
      'bounce-exim.eml',
      [
        {
          messageId: '<ticket.5.abcdef@contoso.example>',
          recipient: 'kim@customer.example',
          status: '5.1.1',
          kind: 'permanent',
          reason: 'no-mailbox',
        },
        { recipient: 'lee@customer.example', status: '5.2.2', kind: 'permanent', reason: 'mailbox-full' },
      ],
    ],
    [
      'bounce-gmail.eml',
      [
        {
          messageId: '<ticket.6.abcdef@contoso.example>',
          recipient: 'kim@customer.example',
          status: '5.1.1',
          kind: 'permanent',
          reason: 'no-mailbox',
        },
      ],
    ],
    ['bounce-qmail.eml', [{ kind: 'permanent', recipient: expect.stringContaining('@') }]],
    ['bounce-exchange-55.eml', [{ kind: 'permanent', recipient: expect.stringContaining('@') }]],
    ['bounce-status-only.eml', [{ kind: 'permanent' }]],
  ])('%s is read', async (name, expected) => {
    expect(await bouncesOf(ownMail(name))).toMatchObject(expected);
  });
});

describe('a delivery report', () => {
  const report = (fields: readonly string[], headers: readonly string[] = []): Uint8Array =>
    Buffer.from(
      [
        'From: MAILER-DAEMON@mx.example',
        'Subject: Report',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        ...headers,
        '',
        '--b',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.example',
        '',
        ...fields,
        '--b--',
        '',
      ].join('\r\n'),
    );

  it('of success is no bounce', async () => {
    expect(
      await bouncesOf(report(['Final-Recipient: rfc822; a@x.example', 'Action: delivered', 'Status: 2.0.0'])),
    ).toEqual([]);
  });

  it('names only the recipients that failed', async () => {
    const bounces = await bouncesOf(
      report([
        'Final-Recipient: rfc822; a@x.example',
        'Action: delivered',
        'Status: 2.0.0',
        '',
        'Final-Recipient: rfc822; B@x.example',
        'Action: failed',
        'Status: 5.0.0',
        'Diagnostic-Code: smtp; 550 5.7.26 Unauthenticated mail is prohibited',
      ]),
    );
    expect(bounces).toMatchObject([{ recipient: 'b@x.example', status: '5.7.26', reason: 'authentication' }]);
  });

  test.each([
    ['delayed', 'Report', 'delayed'],
    ['failed', 'Delayed mail', 'permanent'],
  ])('with the action %s and the subject %j is %s', async (action, subject, kind) => {
    const mail = await readMail(
      report(['Final-Recipient: rfc822; a@x.example', `Action: ${action}`, 'Status: 5.4.0']),
    );
    expect(readBounce({ ...mail, subject })).toMatchObject([{ kind }]);
  });

  it('is tied to the Message-ID that is ours, whatever else it names', async () => {
    const mail = await readMail(
      report(
        [
          'Final-Recipient: rfc822; a@x.example',
          'Action: failed',
          'Status: 5.1.1',
          'Original-Message-ID: <theirs@x.example>',
        ],
        ['In-Reply-To: <ours@contoso.example>'],
      ),
    );
    const ours = '<ours@contoso.example>';
    expect(readBounce(mail, (id) => id === ours)[0]?.messageId).toBe(ours);
    expect(readBounce(mail)[0]?.messageId).toBe('<theirs@x.example>');
  });
});

describe('the reason', () => {
  test.each<[string | undefined, string, string]>([
    ['5.1.1', '', 'no-mailbox'],
    ['5.1.2', '', 'no-domain'],
    ['5.2.2', '', 'mailbox-full'],
    ['4.2.2', '', 'mailbox-full'],
    ['5.3.4', '', 'too-large'],
    ['5.4.14', '', 'loop'],
    ['5.7.1', 'Client host blocked using Spamhaus', 'refused-as-spam'],
    ['5.7.1', 'Unable to relay', 'relaying'],
    ['5.7.1', 'Access denied', 'refused-by-policy'],
    ['5.7.26', '', 'authentication'],
    ['5.7.57', 'Client was not authenticated', 'sender-refused'],
    ['5.0.0', 'No such user here', 'no-mailbox'],
    [undefined, 'mailbox is full', 'mailbox-full'],
    [undefined, 'Connection timed out', 'network'],
    ['4.4.7', '', 'expired'],
    [undefined, 'nothing known', 'unknown'],
  ])('of %s %j is %s', (status, words, reason) => {
    expect(bounceReason(status, words)).toBe(reason);
  });

  test.each(bounceReasons)('%s has an explanation in whole sentences', (reason) => {
    const { cause, advice } = bounceExplanations[reason];
    expect([cause, advice]).toEqual([
      expect.stringMatching(/^[A-Z].*\.$/),
      expect.stringMatching(/^[A-Z].*\.$/),
    ]);
    const bounce: Bounce = {
      messageId: undefined,
      recipient: 'a@x.example',
      status: '4.4.1',
      said: undefined,
      kind: 'delayed',
      reason,
    };
    expect(bounceInWords(bounce)).toBe(
      `The message to a@x.example is delayed; the mail server keeps trying (4.4.1). ${cause}`,
    );
  });
});

test('a bounce of megabytes is read in time', async () => {
  const mail = await readMail(ownMail('bounce-exim.eml'));
  for (const text of [
    'a@b'.repeat(700_000),
    '<'.repeat(2_000_000),
    '550 '.repeat(500_000),
    '\n'.repeat(2_000_000),
    '----'.repeat(500_000),
    'Message-ID: <'.repeat(150_000),
  ]) {
    const bounce = { ...mail, text, automatic: { returnPathEmpty: true, isReport: false } };
    expect(await processorTime(() => readBounce(bounce))).toBeLessThan(1_000);
  }
});

describe('on public collections', () => {
  it('bounces name their recipient, their message and the reason', async () => {
    const count = { all: 0, recipient: 0, messageId: 0, reason: 0 };
    for (const path of corpusFiles()) {
      if (!/^(?:sisimai-bounces|flufl-bounce)/.test(path) || /LICENSE|SOURCE/.test(path)) continue;
      const outcome = await read(corpusMail(path));
      if (outcome.kind !== 'mail' || classify(outcome.mail, 'support@contoso.example') !== 'bounce') continue;
      const [bounce] = readBounce(outcome.mail);
      count.all += 1;
      if (bounce?.recipient !== undefined) count.recipient += 1;
      if (bounce?.messageId !== undefined) count.messageId += 1;
      if (bounce !== undefined && bounce.reason !== 'unknown') count.reason += 1;
    }
    expect(count.recipient / count.all).toBeGreaterThan(0.95);
    // Many of the collected bounces return no headers at all.
    expect(count.messageId / count.all).toBeGreaterThan(0.75);
    expect(count.reason / count.all).toBeGreaterThan(0.83);
  });
});
