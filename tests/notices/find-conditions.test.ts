/** Which faults of a desk are told, each under its root cause, and since when a mailbox counts as silent. */
import { describe, expect, test } from 'vitest';
import {
  allowedSilence,
  type DeskFacts,
  isSilent,
  silentSince,
  silentWithoutReason,
} from '../../shared/notices/desk-facts.ts';
import { findConditions, stillWithoutVault } from '../../shared/notices/find-conditions.ts';
import type { Condition, Notice } from '../../shared/notices/notice.ts';
import { keyOf } from '../../shared/notices/notice.ts';
import { standingConditions } from '../../shared/notices/standing-conditions.ts';
import { iso, START, secret, silent, storageDown } from '../harness/memory/sample-conditions.ts';
import {
  account,
  ago,
  cursor,
  facts,
  mailbox,
  named,
  provider,
  retrying,
  stopped,
  trouble,
} from './sample-facts.ts';

const found = (desk: DeskFacts): string[] => named(findConditions(desk, START));
const denied = retrying('key-vault-denied', { problem: 'Key Vault did not get x (status 403)' });
const two = [mailbox('support'), mailbox('sales', { providerId: 'p2' })];
const providers = [provider(), provider('p2', 'Fabrikam')];

describe('a desk where', () => {
  test('nothing is wrong has no condition', () => {
    expect(found(facts([mailbox('support')]))).toEqual([]);
  });

  test('everything is wrong tells the gravest first, each thing once', () => {
    const beats = new Map([['reviewSecrets' as const, { at: ago(60 * 30), since: ago(60 * 100) }]]);
    const refusal = { action: 'mark-seen', problem: 'no', since: ago(9), triedAt: ago(1) };
    const desk = stopped(
      { support: trouble('AADSTS50173') },
      {
        boxes: [mailbox('support'), mailbox('sales'), mailbox('info')],
        accounts: [account()],
        beats,
        givenUp: [{ queue: 'fetch-shard', count: 1, since: ago(9) }],
        quarantined: { count: 2, since: ago(9) },
        unreadable: [{ table: 'Mailboxes', partitionKey: 'mailbox', rowKey: 'x' }],
        channelTroubles: [{ secret: 'alert-webhook-url', code: 'channel-malformed', said: 'no' }],
        suspects: new Set(['sales']),
      },
    );
    const state = {
      ...desk.state,
      successes: new Map([...desk.state.successes, ['info', ago(1)] as const]),
      cursors: new Map([['info', cursor({ refusal })]]),
      loops: [{ mailboxId: 'info', sender: 's', at: ago(1), ticketId: 't', count: 9 }],
    };
    expect(found({ ...desk, state })).toEqual([
      'consent-dead account a1',
      'mailbox-silent mailbox sales',
      'row-unreadable table Mailboxes',
      'timer-late timer reviewSecrets',
      'marking-refused mailbox info',
      'poison-queue queue fetch-shard',
      'mail-loop mailbox info',
      'channel-unusable channel alert-webhook-url',
      'quarantine-grown desk quarantine',
    ]);
  });

  test('storage is away knows nothing else', () => {
    const failing = [{ part: 'storage' as const, said: 'no answer', since: ago(5) }];
    const desk = stopped(
      { support: trouble('AADSTS50173') },
      { failing, quarantined: { count: 1, since: '' } },
    );
    expect(found(desk)).toEqual(['storage-failing storage storage']);
  });
});

describe('a part of Azure is blamed', () => {
  const storage = (failures: number, since = ago(60)) =>
    retrying('blob-storage', { failures, since, problem: 'no blobs' });
  const ofPart = (desk: DeskFacts): Condition | undefined => findConditions(desk, START)[0];

  test('for fetches that end for want of it, from the second one on', () => {
    expect(found(stopped({ support: storage(1) }))).toEqual([]);
    expect(found(stopped({ support: storage(2) }))).toEqual(['storage-failing storage storage']);
  });

  test('not for a mailbox that is paused', () => {
    const boxes = [mailbox('support', { enabled: false })];
    expect(found(stopped({ support: storage(2) }, { boxes }))).toEqual([]);
  });

  test('since the first of them, or since the look that did not get through, whichever is earlier', () => {
    const desk = stopped({ support: storage(2), sales: storage(2, ago(70)), info: storage(2, ago(65)) });
    expect(ofPart(desk)?.since).toBe(ago(70));
    const look = (minutes: number) => [{ part: 'storage' as const, said: 'look', since: ago(minutes) }];
    expect(ofPart({ ...desk, failing: look(80) })?.since).toBe(ago(80));
    expect(ofPart({ ...desk, failing: look(10) })?.since).toBe(ago(70));
  });

  test('in the words of the look, which is nearer to it', () => {
    const failing = [{ part: 'vault' as const, said: 'Key Vault did not get x (status 429)', since: ago(9) }];
    expect(ofPart(stopped({ support: denied }, { failing }))).toMatchObject({
      subject: { kind: 'vault' },
      code: 'key-vault-throttled',
      since: ago(60),
    });
  });

  test('where the vault withholds from several providers, not where it withholds from one', () => {
    const whole = stopped({ support: denied, sales: denied }, { boxes: two, providers });
    expect(found(whole)).toEqual(['vault-failing vault vault']);
    expect(ofPart(whole)).toMatchObject({ severity: 'critical', code: 'key-vault-refused' });
    expect(found(stopped({ support: denied, sales: denied }))).toEqual(['vault-failing provider p1']);
  });

  test('not where one of the two providers was refused once only', () => {
    const desk = stopped({ support: denied, sales: { ...denied, failures: 1 } }, { boxes: two, providers });
    expect(found(desk)).toEqual(['vault-failing provider p1']);
  });

  test('for what it did to one provider until that mailbox was tried again', () => {
    const desk = stopped({ support: denied });
    const without = (failures: number) => found({ ...desk, withoutVault: new Map([['support', failures]]) });
    expect(without(3)).toEqual(['vault-failing vault vault']);
    expect(without(2)).toEqual(['vault-failing provider p1']);
  });

  test('and speaks for the channels that it withholds', () => {
    const failing = [{ part: 'vault' as const, said: 'no', since: ago(9) }];
    const channelTroubles = [{ secret: 'alert-webhook-url' as const, code: 'key-vault', said: 'no' }];
    expect(found(facts([], { failing, channelTroubles }))).toEqual(['vault-failing vault vault']);
    expect(found(facts([], { channelTroubles }))).toEqual(['channel-unusable channel alert-webhook-url']);
  });

  test('does not stand for a trouble of another kind', () => {
    const failing = [{ part: 'vault' as const, said: 'no', since: ago(9) }];
    expect(found(stopped({ support: trouble('AADSTS50173') }, { failing }))).toEqual([
      'vault-failing vault vault',
      'consent-dead account a1',
    ]);
  });
});

describe('mailboxes without the vault', () => {
  const one = stopped({ support: denied });
  const still = (desk: DeskFacts): unknown[] => [...stillWithoutVault(desk)];

  test('are remembered with their failures while the vault is to blame', () => {
    const failing = [{ part: 'vault' as const, said: 'no', since: ago(9) }];
    expect(still({ ...one, failing })).toEqual([['support', 3]]);
    expect(still(stopped({ support: denied, sales: { ...denied, failures: 2 } }, { boxes: two }))).toEqual([
      ['support', 3],
      ['sales', 2],
    ]);
  });

  test('are remembered afterwards only until they were tried again', () => {
    expect(still(one)).toEqual([]);
    expect(still({ ...one, withoutVault: new Map([['support', 3]]) })).toEqual([['support', 3]]);
    expect(still({ ...one, withoutVault: new Map([['support', 2]]) })).toEqual([]);
  });

  test('are none that are paused, have no trouble or another one', () => {
    const failing = [{ part: 'vault' as const, said: 'no', since: ago(9) }];
    const boxes = [mailbox('support', { enabled: false }), mailbox('sales'), mailbox('info')];
    const troubles = { support: denied, info: trouble('imap-no-access') };
    expect(still(stopped(troubles, { boxes, failing }))).toEqual([]);
  });
});

describe('a mailbox that neither works nor fails', () => {
  const desk = (count: number, change: Partial<DeskFacts> = {}): DeskFacts => {
    const boxes = ['support', 'sales', 'info'].slice(0, count).map((id) => mailbox(id));
    return stopped({}, { boxes, suspects: new Set(boxes.map(({ id }) => id)), ...change });
  };
  const state = (change: Partial<DeskFacts['state']>): DeskFacts['state'] => ({
    ...facts([]).state,
    ...change,
  });

  test('is told at the second look', () => {
    expect(findConditions(desk(1), START)).toEqual([
      {
        kind: 'mailbox-silent',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        severity: 'critical',
        headline: 'support@contoso.example has not been fetched for too long.',
        cause:
          'The fetches are started, and neither succeed nor fail: the queue fetch-shard is not worked on, or each run is ended before its time.',
        code: 'fetches-do-not-end',
        since: ago(120),
        affected: 'No mail is lost: it waits in the mailbox.',
        who: 'you',
        fix: { label: 'See the state of the app', href: '/health' },
      },
    ]);
    expect(found(desk(1, { suspects: new Set() }))).toEqual([]);
  });

  test('and another one are one matter of the queue, since the first of them', () => {
    const successes = new Map([
      ['support', ago(120)],
      ['sales', ago(130)],
      ['info', ago(125)],
    ]);
    const [condition] = findConditions(desk(3, { state: state({ successes }) }), START);
    expect(condition).toMatchObject({
      subject: { kind: 'queue', id: 'fetch-shard', name: 'The queue of fetches' },
      severity: 'critical',
      headline:
        'info@contoso.example, sales@contoso.example and support@contoso.example have not been fetched for too long.',
      since: ago(130),
      affected: 'No mail is lost: it waits in 3 mailboxes.',
    });
  });

  test('beside one that works is an error, beside one that is paused still all there is', () => {
    const boxes = [mailbox('support'), mailbox('sales')];
    const successes = new Map([
      ['support', ago(120)],
      ['sales', ago(1)],
    ]);
    const beside = { boxes, suspects: new Set(['support']), state: state({ successes }) };
    expect(findConditions(stopped({}, beside), START)).toMatchObject([{ severity: 'error' }]);
    const paused = [mailbox('support'), mailbox('sales', { enabled: false })];
    expect(findConditions(stopped({}, { ...beside, boxes: paused }), START)).toMatchObject([
      { severity: 'critical' },
    ]);
  });

  test('is not told while no fetch is started at all', () => {
    const beats = new Map([['fetchMail' as const, { at: ago(30), since: ago(600) }]]);
    expect(found(desk(1, { beats }))).toEqual(['timer-late timer fetchMail']);
    const lesser = new Map([['reviewSecrets' as const, { at: ago(60 * 30), since: ago(60 * 100) }]]);
    expect(found(desk(1, { beats: lesser }))).toHaveLength(2);
  });
});

describe('a mailbox is silent', () => {
  test.each([
    [1, 13],
    [5, 13],
    [6, 16],
    [60, 178],
  ])('with an interval of %i minutes after more than %i', (intervalMinutes, minutes) => {
    expect(allowedSilence({ intervalMinutes })).toBe(minutes * 60_000);
    const silentAfter = (after: number) => isSilent({ intervalMinutes }, ago(after), new Map(), START);
    expect([silentAfter(minutes), silentAfter(minutes + 0.01)]).toEqual([false, true]);
  });

  test('not for the time in which the whole app was off', () => {
    const back = (minutes: number) => new Map([['sweep' as const, { at: ago(1), since: ago(minutes) }]]);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(5), START)).toBe(false);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(14), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(14), back(500), START)).toBe(true);
  });

  test('by no time from the future', () => {
    const back = (minutes: number) => new Map([['sweep' as const, { at: ago(1), since: ago(minutes) }]]);
    expect(isSilent({ intervalMinutes: 1 }, ago(-60), back(500), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(-60), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(-60), new Map(), START)).toBe(false);
  });

  test('since its last fetch, or since it was made', () => {
    const desk = stopped({}, { boxes: [mailbox('support')] });
    expect(silentSince(mailbox('support'), desk, START)).toBe(ago(120));
    const never = facts([mailbox('support')], { state: { successes: new Map() } });
    expect(silentSince(mailbox('support', { createdAt: ago(20) }), never, START)).toBe(ago(20));
    expect(silentSince(mailbox('support', { createdAt: ago(2) }), never, START)).toBeUndefined();
  });

  test('without a reason where it is on, has no trouble and was not fetched', () => {
    const boxes = [mailbox('support'), mailbox('sales', { enabled: false }), mailbox('info'), mailbox('new')];
    const desk = stopped({ info: trouble('odd') }, { boxes });
    const successes = new Map([...desk.state.successes, ['new', ago(1)] as const]);
    expect(silentWithoutReason({ ...desk, state: { ...desk.state, successes } }, START)).toEqual(['support']);
  });
});

describe('what a page says is wrong now', () => {
  const notice = (held: Notice['held']): Notice => {
    const [condition] = Object.values(held);
    if (condition === undefined) throw new Error('a notice without a condition');
    const at = iso(START);
    return { id: '1', key: keyOf(condition), held, openedAt: at, toldAt: at, told: 1, toldAs: '' };
  };
  const standing = (desk: DeskFacts, ...open: Notice[]): string[] =>
    named(standingConditions(open, desk, START));
  const well = facts([mailbox('support')]);

  test('is there before the first sweep has seen it', () => {
    expect(standing(stopped({ support: trouble('AADSTS50173') }))).toEqual(['consent-dead account a1']);
    expect(standing(stopped({}, { boxes: [mailbox('support')] }))).toEqual([
      'mailbox-silent mailbox support',
    ]);
  });

  test.each([
    'mailbox-silent',
    'marking-refused',
    'consent-dead',
    'secret-expired',
    'secret-refused',
    'timer-late',
    'quarantine-grown',
  ] as const)('is no %s that is mended', (kind) => {
    expect(standing(well, notice({ watch: silent('support', { kind }) }))).toEqual([]);
  });

  test.each([
    'storage-failing',
    'vault-failing',
    'poison-queue',
    'row-unreadable',
    'mail-loop',
    'smtp-refused',
    'channel-unusable',
  ] as const)('is a %s that only the sweep can see', (kind) => {
    expect(standing(well, notice({ watch: silent('support', { kind }) }))).toEqual([
      `${kind} mailbox support`,
    ]);
  });

  test('is what somebody else than the sweep has seen, whatever its kind', () => {
    expect(standing(well, notice({ review: secret('7 days') }))).toEqual(['secret-due provider p1']);
    const both = notice({ watch: secret('', { kind: 'secret-expired' }), review: secret('7 days') });
    expect(standing(well, both)).toEqual(['secret-due provider p1']);
    const sending = notice({ sending: silent('support', { kind: 'mailbox-silent' }) });
    expect(standing(well, sending)).toEqual(['mailbox-silent mailbox support']);
  });

  test('is as the page sees it, where the notice has it, too', () => {
    const desk = stopped({ support: trouble('AADSTS50173') });
    const [seen] = standingConditions([], desk, START);
    if (seen === undefined) throw new Error('nothing stands');
    const before = notice({ review: { ...seen, headline: 'as it was' } });
    expect(standingConditions([before], desk, START)).toEqual([seen]);
  });

  test('is the gravest first', () => {
    const desk = stopped({ support: trouble('AADSTS50173') });
    const open = [notice({ review: secret('7 days') }), notice({ watch: storageDown })];
    expect(standing(desk, ...open)).toEqual([
      'storage-failing storage storage',
      'consent-dead account a1',
      'secret-due provider p1',
    ]);
  });

  test('is no fault of a provider while the vault as a whole fails', () => {
    const desk = stopped({ support: denied, sales: trouble('imap-no-access') });
    const accounts = [account({ state: 'works', stateSince: ago(500) })];
    const whole = notice({
      watch: silent('vault', {
        kind: 'vault-failing',
        subject: { kind: 'vault', id: 'vault', name: 'Key Vault' },
      }),
    });
    expect(standing({ ...desk, accounts }, whole)).toEqual([
      'vault-failing vault vault',
      'mailbox-silent mailbox sales',
    ]);
    const ofOne = notice({ watch: silent('p9', { kind: 'vault-failing' }) });
    expect(standing({ ...desk, accounts }, ofOne)).toContain('vault-failing provider p1');
    const other = notice({
      watch: silent('vault', { kind: 'row-unreadable', subject: { kind: 'vault', id: 'vault', name: '' } }),
    });
    expect(standing({ ...desk, accounts }, other)).toContain('vault-failing provider p1');
  });
});
