/** What the drill counts as a mistake: each possible error is found, and nothing else. */
import { describe, expect, test } from 'vitest';
import type { ReceivedAlert } from '../../dev/drill/alert-receiver.ts';
import { drillFaults } from '../../dev/drill/drill-faults.ts';
import { type DrillRecord, mistakesIn } from '../../dev/drill/drill-mistakes.ts';
import { glanceAt, isCalm } from '../../dev/drill/home-page.ts';

const [fault] = drillFaults.filter(({ name }) => name === 'dead refresh token');
if (fault === undefined) throw new Error('There is no such fault.');

const path = '/providers/abcdefghijklmnopqrstuvwxyz/connect?mailbox=m1&a=b';
const opened: ReceivedAlert = {
  what: 'opened',
  key: 'k',
  kind: 'consent-dead',
  severity: 'error',
  headline: 'kim@contoso.example is not fetched.',
  cause: 'Microsoft ends unused sign-ins.',
  code: 'AADSTS700082',
  affected: 'No mail is lost.',
  link: `http://localhost:7071${path}`,
};
const home = (says: string, leads: string): string =>
  `<header><h1>Postroom</h1><a href="/">Home</a></header><main id="main"><h1>${says}</h1><p>Why.</p><a class="button" href="${leads}">Fix it</a></main>`;
const calm = `<main><h1>Mail is flowing</h1><div class="verdict good">All mailboxes are up to date. No action needed.</div></main>`;
const good: DrillRecord = {
  opened,
  secondsToAlert: 180,
  closed: true,
  received: [opened, { ...opened, what: 'closed' }],
  mails: [
    '[Postroom] kim@contoso.example is not fetched.',
    '[Postroom] Resolved: kim@contoso.example is not fetched.',
  ],
  homeDuring: home('kim@contoso.example is not fetched', path.replace('&', '&amp;')),
  homeAfter: calm,
  replies: { before: 0, after: 0 },
  othersWentOn: true,
};
const mistakes = (changes: Partial<DrillRecord>): string[] => mistakesIn(fault, { ...good, ...changes });
const another = (changes: Partial<ReceivedAlert>): Partial<DrillRecord> => {
  const alert = { ...opened, ...changes };
  return { opened: alert, received: [alert, { ...alert, what: 'closed' }] };
};

describe('the drill', () => {
  test('expects no email about the end of a warning', () => {
    const warning = { ...opened, severity: 'warning' as const };
    const received = [warning, { ...warning, what: 'closed' as const }];
    const changes = { opened: warning, received };
    expect(mistakes({ ...changes, mails: good.mails.slice(0, 1) })).toEqual([]);
    expect(mistakes(changes).join()).toMatch(/An email too many/);
  });

  test('finds no mistake if everything was as promised', () => {
    expect(mistakes({})).toEqual([]);
  });

  test.each<[what: string, changes: Partial<DrillRecord>, sentence: RegExp]>([
    ['no alert', { opened: undefined }, /^No alert came/],
    ['another kind', another({ kind: 'mailbox-silent' }), /of kind mailbox-silent/],
    ['another code, though the cause reads alike', another({ code: 'AADSTS50173' }), /code is AADSTS50173/],
    ['another cause', another({ cause: 'Nobody knows.' }), /cause is not named/],
    ['a second too late', { secondsToAlert: 181 }, /came after 181 s/],
    ['an alert that stays', { closed: false, homeAfter: undefined }, /did not close/],
    ['a different first sentence', { homeDuring: home('Mail is flowing', path) }, /home page said/],
    [
      'a first link that leads elsewhere',
      { homeDuring: home('kim@contoso.example is not fetched', '/health') },
      /first link led to: \/health/,
    ],
    [
      'a home page without a link',
      { homeDuring: '<main><h1>kim@contoso.example is not fetched</h1></main>' },
      /led to: $/,
    ],
    ['a home page that is not calm again', { homeAfter: home('Something', '/') }, /still said: Something/],
    [
      'a channel that stayed silent',
      { mails: good.mails.slice(0, 1) },
      /^No mail came: \[Postroom\] Resolved:/,
    ],
    [
      'an email about something else',
      {
        mails: [...good.mails, '[Postroom] Cannot send as kim@contoso.example: the mail server refuses it.'],
      },
      /^An email too many/,
    ],
    ['another mailbox that was no longer fetched', { othersWentOn: false }, /other provider/],
  ])('finds %s', (_what, changes, sentence) => {
    expect(mistakes(changes)).toEqual([expect.stringMatching(sentence)]);
  });

  test.each([
    ['did not wait', { before: 1, after: 1 }, 'The reply left although nothing could leave.'],
    ['was lost', { before: 0, after: 0 }, 'The reply that waited arrived 0 times.'],
    ['arrived twice', { before: 0, after: 2 }, 'The reply that waited arrived 2 times.'],
  ])('finds a reply that %s', (_what, replies, sentence) => {
    const held = { ...fault, holdsReply: true } as const;
    expect(mistakesIn(held, { ...good, replies })).toEqual([sentence]);
    expect(mistakesIn(held, { ...good, replies: { before: 0, after: 1 } })).toEqual([]);
    expect(mistakes({ replies }), 'of a fault without a reply').toEqual([]);
  });

  test('finds a second alert, by webhook and by email', () => {
    const second = { ...opened, key: 'l', kind: 'smtp-refused', headline: 'No mail leaves.' };
    const mails = [...good.mails, '[Postroom] No mail leaves.'];
    expect(mistakes({ received: [...good.received, second], mails })).toEqual([
      'A second alert came: smtp-refused: No mail leaves.',
    ]);
  });

  test('misses the email about the end of an error, and not about the end of a warning', () => {
    const [mail = ''] = good.mails;
    expect(mistakes({ mails: [mail] })).toEqual([`No mail came: [Postroom] Resolved: ${opened.headline}`]);
    const warning = { ...opened, severity: 'warning' as const };
    const received = [warning, { ...warning, what: 'closed' as const }];
    expect(mistakes({ opened: warning, received, mails: [mail] })).toEqual([]);
  });
});

describe('the summary of the home page', () => {
  test('is the first sentence and the first link of its main part, as a person reads them', () => {
    expect(glanceAt(home('Kim &amp; Lee&#39;s <b>installation</b>', '/a?b&amp;c'))).toEqual({
      says: "Kim & Lee's installation",
      leads: '/a?b&c',
    });
  });

  test('is calm only if there is nothing beside the one line', () => {
    expect(isCalm(calm)).toBe(true);
    expect(isCalm(calm.replace('</main>', '<ul class="findings"></ul></main>'))).toBe(false);
    expect(isCalm(home('Mail is flowing', '/'))).toBe(false);
  });
});
