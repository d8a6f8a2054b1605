/** The content of notifications, their channels, and their retries. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../shared/alerts/alert.ts';
import { channelsFor, nextTry, notificationOf } from '../../shared/alerts/notification.ts';
import {
  factsOf,
  inWords,
  linkOf,
  notificationText,
  titleOf,
} from '../../shared/alerts/notification-text.ts';
import { payloadOf, shapeFor, signatureOf, signingKeyProblem } from '../../shared/alerts/webhook-payload.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { HOUR, iso, START, sampleNotification, silent } from '../harness/memory/sample-findings.ts';

const postroom = 'https://desk.example';
const warning = silent('support', { severity: 'warning' });

describe('a notification', () => {
  const alert: Alert = {
    id: '1-a',
    key: 'mailbox-silent|mailbox|support',
    findings: { watch: silent() },
    openedAt: iso(START),
    notifiedAt: iso(START + HOUR),
    notificationCount: 3,
    notifiedAs: '',
  };

  test('is identified by its alert and its number, so that two attempts are one event', () => {
    expect(notificationOf(alert, 'repeated')).toEqual({
      id: '1-a-3',
      what: 'repeated',
      at: iso(START + HOUR),
      openedAt: iso(START),
      key: alert.key,
      finding: silent(),
    });
  });

  test('that everything is resolved has the time of the end', () => {
    const closedAt = iso(START + 2 * HOUR);
    expect(notificationOf({ ...alert, closedAt }, 'closed')).toMatchObject({
      id: '1-a-closed',
      at: closedAt,
    });
    expect(notificationOf({ ...alert, closedAt }, 'changed').at).toBe(alert.notifiedAt);
    expect(notificationOf(alert, 'closed').at).toBe(alert.notifiedAt);
  });

  test.each([
    ['opened', warning, ['email', 'webhook']],
    ['changed', warning, ['email', 'webhook']],
    ['repeated', warning, ['webhook']],
    ['closed', warning, ['webhook']],
    ['repeated', silent(), ['email', 'webhook']],
    ['closed', silent(), ['email', 'webhook']],
  ] as const)('that an alert is %s uses the channels for which it is news', (what, finding, channels) => {
    expect(channelsFor(sampleNotification({ what, finding }), ['email', 'webhook'])).toEqual(channels);
  });

  test('uses only configured channels', () => {
    expect(channelsFor(sampleNotification(), ['email'])).toEqual(['email']);
    expect(channelsFor(sampleNotification(), [])).toEqual([]);
  });

  test('is retried less and less often for about a day, and then abandoned', () => {
    const minutes = Array.from({ length: 30 }, (_one, index) => {
      const next = nextTry(index + 1, START);
      return next === undefined ? undefined : (Date.parse(next) - START) / 60_000;
    });
    expect(minutes).toEqual([1, 2, 5, 10, 15, 30, 60, ...Array.from({ length: 22 }, () => 60), undefined]);
    expect(nextTry(31, START)).toBeUndefined();
    expect(nextTry(0, START)).toBe(iso(START + 60_000));
  });
});

describe('the text of a notification', () => {
  test.each([
    ['opened', 'support@contoso.example is not fetched.'],
    ['changed', 'support@contoso.example is not fetched.'],
    ['repeated', 'Still active: support@contoso.example is not fetched.'],
    ['closed', 'Resolved: support@contoso.example is not fetched.'],
  ] as const)('that is %s starts with: %s', (what, title) => {
    expect(titleOf(sampleNotification({ what }))).toBe(title);
  });

  test('has a title of one line and at most 200 characters', () => {
    const finding = silent('support', { headline: `a \r\n  b${'x'.repeat(300)}` });
    expect(titleOf(sampleNotification({ finding }))).toBe(`a b${'x'.repeat(197)}`);
  });

  test('has times in UTC', () => {
    expect(inWords('2026-11-24T10:05:59.000Z')).toBe('24 Nov 2026, 10:05 UTC');
    expect(inWords('2026-11-24T23:59:00+02:00')).toBe('24 Nov 2026, 21:59 UTC');
  });

  test('states the cause, since when, the effect on email and who can fix it', () => {
    expect(factsOf(sampleNotification())).toEqual([
      { term: 'Cause', detail: 'The mail server does not answer.' },
      { term: 'Started', detail: '24 Nov 2026, 09:00 UTC' },
      { term: 'Impact', detail: 'No mail is lost: it waits in the mailbox.' },
      { term: 'Who can fix it', detail: 'no one: it resolves on its own' },
    ]);
  });

  test('of a resolved alert states its start and end', () => {
    expect(factsOf(sampleNotification({ what: 'closed' }))).toEqual([
      { term: 'Cause', detail: 'The mail server does not answer.' },
      { term: 'Started', detail: '24 Nov 2026, 09:00 UTC' },
      { term: 'Resolved', detail: '24 Nov 2026, 10:00 UTC' },
    ]);
  });

  test('links to pages of the installation by absolute URL, and leaves other links unchanged', () => {
    expect(linkOf(sampleNotification(), postroom)).toBe('https://desk.example/mailboxes/support/test');
    const href = 'https://portal.azure.com/#x';
    const finding = silent('support', { fix: { label: 'MailboxPreview', href } });
    expect(linkOf(sampleNotification({ finding }), postroom)).toBe(href);
  });

  test('has its link at the end', () => {
    expect(notificationText(sampleNotification(), postroom)).toBe(
      [
        'support@contoso.example is not fetched.',
        '',
        'Cause: The mail server does not answer.',
        'Started: 24 Nov 2026, 09:00 UTC',
        'Impact: No mail is lost: it waits in the mailbox.',
        'Who can fix it: no one: it resolves on its own',
        '',
        'Test the connection: https://desk.example/mailboxes/support/test',
        '',
      ].join('\n'),
    );
    expect(notificationText(sampleNotification({ what: 'closed' }), postroom)).toContain(
      '\n\nNo action needed. All alerts: https://desk.example/alerts\n',
    );
  });
});

describe('the payload of a webhook', () => {
  const parsed = (notification = sampleNotification(), shape: 'teams' | 'slack' | 'json' = 'json') =>
    JSON.parse(payloadOf(notification, shape, postroom));

  test('as JSON has all fields by name', () => {
    expect(parsed()).toEqual({
      type: 'alert.opened',
      timestamp: iso(START),
      data: {
        key: 'mailbox-silent|mailbox|support',
        kind: 'mailbox-silent',
        severity: 'error',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        headline: 'support@contoso.example is not fetched.',
        cause: 'The mail server does not answer.',
        code: 'imap-unavailable',
        since: iso(START - HOUR),
        openedAt: iso(START),
        affected: 'No mail is lost: it waits in the mailbox.',
        who: 'no one: it resolves on its own',
        fix: { label: 'Test the connection', url: 'https://desk.example/mailboxes/support/test' },
        text: notificationText(sampleNotification(), postroom),
      },
    });
    expect(
      parsed(sampleNotification({ finding: silent('support', { code: undefined }) })).data.code,
    ).toBeNull();
  });

  test('for Teams is one adaptive card', () => {
    expect(parsed(sampleNotification(), 'teams')).toEqual({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              {
                type: 'TextBlock',
                text: 'support@contoso.example is not fetched.',
                weight: 'Bolder',
                size: 'Medium',
                color: 'Attention',
                wrap: true,
              },
              {
                type: 'FactSet',
                facts: factsOf(sampleNotification()).map(({ term, detail }) => ({
                  title: term,
                  value: detail,
                })),
              },
            ],
            actions: [
              {
                type: 'Action.OpenUrl',
                title: 'Test the connection',
                url: 'https://desk.example/mailboxes/support/test',
              },
            ],
          },
        },
      ],
    });
  });

  test.each([
    ['opened', silent(), 'Attention'],
    ['opened', warning, 'Warning'],
    ['closed', warning, 'Good'],
  ] as const)('for Teams has the color of an alert that is %s', (what, finding, colour) => {
    const card = parsed(sampleNotification({ what, finding }), 'teams');
    expect(card.attachments[0].content.body[0].color).toBe(colour);
  });

  test('for Slack is a title, the facts and one button', () => {
    const finding = silent('support', { headline: '<a> & b', cause: '<b>' });
    expect(parsed(sampleNotification({ finding }), 'slack')).toEqual({
      text: '&lt;a&gt; &amp; b',
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: '*&lt;a&gt; &amp; b*' } },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: [
              '*Cause:* &lt;b&gt;',
              '*Started:* 24 Nov 2026, 09:00 UTC',
              '*Impact:* No mail is lost: it waits in the mailbox.',
              '*Who can fix it:* no one: it resolves on its own',
            ].join('\n'),
          },
        },
        {
          type: 'actions',
          elements: [
            {
              type: 'button',
              text: { type: 'plain_text', text: 'Test the connection' },
              url: 'https://desk.example/mailboxes/support/test',
            },
          ],
        },
      ],
    });
  });

  test('for Slack stays within Slack’s limits', () => {
    const fix = { label: 'x'.repeat(100), href: '/x' };
    const finding = silent('support', { cause: 'y'.repeat(4000), fix });
    const { blocks } = parsed(sampleNotification({ finding }), 'slack');
    expect(blocks[1].text.text).toHaveLength(2900);
    expect(blocks[2].elements[0].text.text).toBe('x'.repeat(75));
  });

  test('of a resolved alert links to all alerts', () => {
    const { blocks } = parsed(sampleNotification({ what: 'closed' }), 'slack');
    expect(blocks[2].elements[0]).toMatchObject({ text: { text: 'All alerts' }, url: `${postroom}/alerts` });
  });
});

test.each([
  ['logic.azure.com', 'teams'],
  ['prod-07.westeurope.logic.azure.com', 'teams'],
  ['PROD-07.WESTEUROPE.LOGIC.AZURE.COM', 'teams'],
  ['x.environment.api.powerplatform.com', 'teams'],
  ['x.powerautomate.com', 'teams'],
  ['x.flow.microsoft.com', 'teams'],
  ['contoso.webhook.office.com', 'teams'],
  ['notlogic.azure.com', 'json'],
  ['logic.azure.com.attacker.example', 'json'],
  ['hooks.slack.com', 'slack'],
  ['slack.com', 'slack'],
  ['notslack.com', 'json'],
  ['slack.com.attacker.example', 'json'],
])('the receiver at %s accepts %s', (host, shape) => {
  expect(shapeFor(host)).toBe(shape);
});

describe('the signature', () => {
  const bytes = Buffer.alloc(24, 7);
  const whsec = `whsec_${bytes.toString('base64')}`;

  test('covers ID, second and body, as in the Standard Webhooks specification', () => {
    const hmac = (key: Buffer | string) =>
      createHmac('sha256', key)
        .update(`id.${START / 1000}.body`)
        .digest('base64');
    expect(signatureOf('id', 'body', new Secret(whsec), START + 999)).toEqual({
      'webhook-id': 'id',
      'webhook-timestamp': String(START / 1000),
      'webhook-signature': `v1,${hmac(bytes)}`,
    });
    const plain = 'my whsec_ key of many characters';
    expect(signatureOf('id', 'body', new Secret(plain), START)['webhook-signature']).toBe(
      `v1,${hmac(plain)}`,
    );
  });

  test.each([
    ['', 'The key has 0 bytes, and at least 24 are needed.'],
    ['k', 'The key has 1 byte, and at least 24 are needed.'],
    ['x'.repeat(23), 'The key has 23 bytes, and at least 24 are needed.'],
    [`whsec_${Buffer.alloc(23).toString('base64')}`, 'The key has 23 bytes, and at least 24 are needed.'],
    [`${whsec}!`, 'What follows whsec_ is not base64.'],
    [`whsec_!${bytes.toString('base64')}`, 'What follows whsec_ is not base64.'],
    [`whsec_${'A'.repeat(41)}`, 'What follows whsec_ is not base64.'],
    [`whsec_${'A'.repeat(40)}=`, 'What follows whsec_ is not base64.'],
    [`whsec_${'A'.repeat(42)}=`, 'What follows whsec_ is not base64.'],
  ])('rejects a key like %j', (key, problem) => {
    expect(signingKeyProblem(new Secret(key))).toBe(problem);
  });

  test.each([
    'x'.repeat(24),
    whsec,
    `whsec_${'A'.repeat(40)}`,
    `whsec_${'A'.repeat(42)}`,
    `whsec_${'A'.repeat(42)}==`,
    `whsec_${'A'.repeat(43)}`,
    `whsec_${'A'.repeat(43)}=`,
  ])('accepts a key like %j', (key) => {
    expect(signingKeyProblem(new Secret(key))).toBeUndefined();
  });
});
