/** What people are told, over which channel, in which words, and when it is tried again. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Notice } from '../../shared/notices/notice.ts';
import { channelsFor, nextTry, tellingOf } from '../../shared/notices/telling.ts';
import { factsOf, inWords, linkOf, textOf, titleOf } from '../../shared/notices/telling-words.ts';
import { payloadOf, shapeFor, signatureOf, signingKeyProblem } from '../../shared/notices/webhook-payload.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { HOUR, iso, START, sampleTelling, silent } from '../harness/memory/sample-conditions.ts';

const desk = 'https://desk.example';
const warning = silent('support', { severity: 'warning' });

describe('a telling', () => {
  const notice: Notice = {
    id: '1-a',
    key: 'mailbox-silent|mailbox|support',
    held: { watch: silent() },
    openedAt: iso(START),
    toldAt: iso(START + HOUR),
    told: 3,
    toldAs: '',
  };

  test('is named by its notice and its number, so that two tries are one event', () => {
    expect(tellingOf(notice, 'repeated')).toEqual({
      id: '1-a-3',
      what: 'repeated',
      at: iso(START + HOUR),
      openedAt: iso(START),
      key: notice.key,
      condition: silent(),
    });
  });

  test('that all is over bears the time of the end', () => {
    const closedAt = iso(START + 2 * HOUR);
    expect(tellingOf({ ...notice, closedAt }, 'closed')).toMatchObject({ id: '1-a-closed', at: closedAt });
    expect(tellingOf({ ...notice, closedAt }, 'changed').at).toBe(notice.toldAt);
    expect(tellingOf(notice, 'closed').at).toBe(notice.toldAt);
  });

  test.each([
    ['opened', warning, ['email', 'webhook']],
    ['changed', warning, ['email', 'webhook']],
    ['repeated', warning, ['webhook']],
    ['closed', warning, ['webhook']],
    ['repeated', silent(), ['email', 'webhook']],
    ['closed', silent(), ['email', 'webhook']],
  ] as const)('that a notice is %s goes where it is news', (what, condition, channels) => {
    expect(channelsFor(sampleTelling({ what, condition }), ['email', 'webhook'])).toEqual(channels);
  });

  test('goes over no channel that there is not', () => {
    expect(channelsFor(sampleTelling(), ['email'])).toEqual(['email']);
    expect(channelsFor(sampleTelling(), [])).toEqual([]);
  });

  test('is tried again ever more rarely for about a day, and then given up', () => {
    const minutes = Array.from({ length: 30 }, (_one, index) => {
      const next = nextTry(index + 1, START);
      return next === undefined ? undefined : (Date.parse(next) - START) / 60_000;
    });
    expect(minutes).toEqual([1, 2, 5, 10, 15, 30, 60, ...Array.from({ length: 22 }, () => 60), undefined]);
    expect(nextTry(31, START)).toBeUndefined();
    expect(nextTry(0, START)).toBe(iso(START + 60_000));
  });
});

describe('the words of a telling', () => {
  test.each([
    ['opened', 'support@contoso.example is not fetched.'],
    ['changed', 'support@contoso.example is not fetched.'],
    ['repeated', 'Still: support@contoso.example is not fetched.'],
    ['closed', 'Over: support@contoso.example is not fetched.'],
  ] as const)('that is %s begin with: %s', (what, title) => {
    expect(titleOf(sampleTelling({ what }))).toBe(title);
  });

  test('have a title of one line and at most 200 characters', () => {
    const condition = silent('support', { headline: `a \r\n  b${'x'.repeat(300)}` });
    expect(titleOf(sampleTelling({ condition }))).toBe(`a b${'x'.repeat(197)}`);
  });

  test('are times in UTC', () => {
    expect(inWords('2026-11-24T10:05:59.000Z')).toBe('24 Nov 2026, 10:05 UTC');
    expect(inWords('2026-11-24T23:59:00+02:00')).toBe('24 Nov 2026, 21:59 UTC');
  });

  test('say why, since when, what it does to mail and who can fix it', () => {
    expect(factsOf(sampleTelling())).toEqual([
      { term: 'Why', detail: 'The mail server does not answer.' },
      { term: 'Since', detail: '24 Nov 2026, 09:00 UTC' },
      { term: 'Mail', detail: 'No mail is lost: it waits in the mailbox.' },
      { term: 'Who can fix it', detail: 'nobody: it passes by itself' },
    ]);
  });

  test('say of what is over from when until when it was', () => {
    expect(factsOf(sampleTelling({ what: 'closed' }))).toEqual([
      { term: 'It was', detail: 'The mail server does not answer.' },
      { term: 'From', detail: '24 Nov 2026, 09:00 UTC' },
      { term: 'Until', detail: '24 Nov 2026, 10:00 UTC' },
    ]);
  });

  test('lead to a page of the desk by its whole address, and elsewhere as they are', () => {
    expect(linkOf(sampleTelling(), desk)).toBe('https://desk.example/mailboxes/support/test');
    const href = 'https://portal.azure.com/#x';
    const condition = silent('support', { fix: { label: 'Look', href } });
    expect(linkOf(sampleTelling({ condition }), desk)).toBe(href);
  });

  test('are a text with the link at its end', () => {
    expect(textOf(sampleTelling(), desk)).toBe(
      [
        'support@contoso.example is not fetched.',
        '',
        'Why: The mail server does not answer.',
        'Since: 24 Nov 2026, 09:00 UTC',
        'Mail: No mail is lost: it waits in the mailbox.',
        'Who can fix it: nobody: it passes by itself',
        '',
        'Test the connection: https://desk.example/mailboxes/support/test',
        '',
      ].join('\n'),
    );
    expect(textOf(sampleTelling({ what: 'closed' }), desk)).toContain(
      '\n\nNothing is left to do. All notices: https://desk.example/notices\n',
    );
  });
});

describe('the payload of a webhook', () => {
  const parsed = (telling = sampleTelling(), shape: 'teams' | 'slack' | 'json' = 'json') =>
    JSON.parse(payloadOf(telling, shape, desk));

  test('that is JSON has all there is, each by its name', () => {
    expect(parsed()).toEqual({
      type: 'notice.opened',
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
        who: 'nobody: it passes by itself',
        fix: { label: 'Test the connection', url: 'https://desk.example/mailboxes/support/test' },
        text: textOf(sampleTelling(), desk),
      },
    });
    expect(parsed(sampleTelling({ condition: silent('support', { code: undefined }) })).data.code).toBeNull();
  });

  test('for Teams is one adaptive card', () => {
    expect(parsed(sampleTelling(), 'teams')).toEqual({
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
                facts: factsOf(sampleTelling()).map(({ term, detail }) => ({ title: term, value: detail })),
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
  ] as const)('for Teams has the colour of what is %s', (what, condition, colour) => {
    const card = parsed(sampleTelling({ what, condition }), 'teams');
    expect(card.attachments[0].content.body[0].color).toBe(colour);
  });

  test('for Slack is a title, the facts and one button', () => {
    const condition = silent('support', { headline: '<a> & b', cause: '<b>' });
    expect(parsed(sampleTelling({ condition }), 'slack')).toEqual({
      text: '&lt;a&gt; &amp; b',
      blocks: [
        { type: 'section', text: { type: 'mrkdwn', text: '*&lt;a&gt; &amp; b*' } },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: [
              '*Why:* &lt;b&gt;',
              '*Since:* 24 Nov 2026, 09:00 UTC',
              '*Mail:* No mail is lost: it waits in the mailbox.',
              '*Who can fix it:* nobody: it passes by itself',
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

  test('for Slack stays within what Slack takes', () => {
    const fix = { label: 'x'.repeat(100), href: '/x' };
    const condition = silent('support', { cause: 'y'.repeat(4000), fix });
    const { blocks } = parsed(sampleTelling({ condition }), 'slack');
    expect(blocks[1].text.text).toHaveLength(2900);
    expect(blocks[2].elements[0].text.text).toBe('x'.repeat(75));
  });

  test('of what is over leads to all notices', () => {
    const { blocks } = parsed(sampleTelling({ what: 'closed' }), 'slack');
    expect(blocks[2].elements[0]).toMatchObject({ text: { text: 'All notices' }, url: `${desk}/notices` });
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
])('the receiver at %s understands %s', (host, shape) => {
  expect(shapeFor(host)).toBe(shape);
});

describe('the signature', () => {
  const bytes = Buffer.alloc(24, 7);
  const whsec = `whsec_${bytes.toString('base64')}`;

  test('covers id, second and body, as the Standard Webhooks specification has it', () => {
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
  ])('takes no key like %j', (key, problem) => {
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
  ])('takes a key like %j', (key) => {
    expect(signingKeyProblem(new Secret(key))).toBeUndefined();
  });
});
