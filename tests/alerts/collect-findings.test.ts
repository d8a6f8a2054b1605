/** Which faults of an installation are reported, each under its root cause, and when a mailbox counts as silent. */
import { describe, expect, test } from 'vitest';
import type { Alert, Finding } from '../../shared/alerts/alert.ts';
import { keyOf } from '../../shared/alerts/alert.ts';
import { collectFindings, stillWithoutVault } from '../../shared/alerts/collect-findings.ts';
import { currentFindings } from '../../shared/alerts/current-findings.ts';
import {
  allowedSilence,
  type HealthFacts,
  isSilent,
  silentSince,
  silentWithoutReason,
} from '../../shared/alerts/health-facts.ts';
import { iso, START, secret, silent, storageDown } from '../harness/memory/sample-findings.ts';
import {
  account,
  ago,
  cursor,
  facts,
  failure,
  mailbox,
  named,
  provider,
  retrying,
  stopped,
} from './sample-facts.ts';

const found = (postroom: HealthFacts): string[] => named(collectFindings(postroom, START));
const denied = retrying('key-vault-denied', { problem: 'Key Vault did not get x (status 403)' });
const two = [mailbox('support'), mailbox('sales', { providerId: 'p2' })];
const providers = [provider(), provider('p2', 'Fabrikam')];

describe('an installation where', () => {
  test('nothing is wrong has no finding', () => {
    expect(found(facts([mailbox('support')]))).toEqual([]);
  });

  test('everything is wrong reports the most severe first, each finding once', () => {
    const beats = new Map([['reviewSecrets' as const, { at: ago(60 * 30), since: ago(60 * 100) }]]);
    const refusal = { action: 'mark-seen', problem: 'no', since: ago(9), triedAt: ago(1) };
    const postroom = stopped(
      { support: failure('AADSTS50173') },
      {
        boxes: [mailbox('support'), mailbox('sales'), mailbox('info')],
        accounts: [account()],
        beats,
        abandoned: [{ queue: 'fetch-shard', count: 1, since: ago(9) }],
        quarantined: { count: 2, since: ago(9) },
        unreadable: [{ table: 'Mailboxes', partitionKey: 'mailbox', rowKey: 'x' }],
        channelFailures: [{ secret: 'alert-webhook-url', code: 'channel-malformed', reason: 'no' }],
        suspects: new Set(['sales']),
      },
    );
    const state = {
      ...postroom.state,
      successes: new Map([...postroom.state.successes, ['info', ago(1)] as const]),
      cursors: new Map([['info', cursor({ refusal })]]),
      loops: [{ mailboxId: 'info', sender: 's', at: ago(1), ticketId: 't', count: 9 }],
    };
    expect(found({ ...postroom, state })).toEqual([
      'consent-dead account a1',
      'mailbox-silent mailbox sales',
      'row-unreadable table Mailboxes',
      'timer-late timer reviewSecrets',
      'marking-refused mailbox info',
      'poison-queue queue fetch-shard',
      'mail-loop mailbox info',
      'channel-unusable channel alert-webhook-url',
      'quarantine-grown installation quarantine',
    ]);
  });

  test('storage is unavailable reports nothing else', () => {
    const failing = [{ part: 'storage' as const, message: 'no answer', since: ago(5) }];
    const postroom = stopped(
      { support: failure('AADSTS50173') },
      { failing, quarantined: { count: 1, since: '' } },
    );
    expect(found(postroom)).toEqual(['storage-failing storage storage']);
  });
});

describe('an Azure service is blamed', () => {
  const storage = (failures: number, since = ago(60)) =>
    retrying('blob-storage', { failures, since, problem: 'no blobs' });
  const ofPart = (postroom: HealthFacts): Finding | undefined => collectFindings(postroom, START)[0];

  test('for fetches that it made fail, from the second one on', () => {
    expect(found(stopped({ support: storage(1) }))).toEqual([]);
    expect(found(stopped({ support: storage(2) }))).toEqual(['storage-failing storage storage']);
  });

  test('not for a paused mailbox', () => {
    const boxes = [mailbox('support', { enabled: false })];
    expect(found(stopped({ support: storage(2) }, { boxes }))).toEqual([]);
  });

  test('since the first failed fetch or the failed health check, whichever is earlier', () => {
    const postroom = stopped({ support: storage(2), sales: storage(2, ago(70)), info: storage(2, ago(65)) });
    expect(ofPart(postroom)?.since).toBe(ago(70));
    const look = (minutes: number) => [{ part: 'storage' as const, message: 'look', since: ago(minutes) }];
    expect(ofPart({ ...postroom, failing: look(80) })?.since).toBe(ago(80));
    expect(ofPart({ ...postroom, failing: look(10) })?.since).toBe(ago(70));
  });

  test('with the message of the health check, which is more specific', () => {
    const failing = [
      { part: 'vault' as const, message: 'Key Vault did not get x (status 429)', since: ago(9) },
    ];
    expect(ofPart(stopped({ support: denied }, { failing }))).toMatchObject({
      subject: { kind: 'vault' },
      code: 'key-vault-throttled',
      since: ago(60),
    });
  });

  test('if the vault fails for several providers, not if it fails for one', () => {
    const whole = stopped({ support: denied, sales: denied }, { boxes: two, providers });
    expect(found(whole)).toEqual(['vault-failing vault vault']);
    expect(ofPart(whole)).toMatchObject({ severity: 'critical', code: 'key-vault-denied' });
    expect(found(stopped({ support: denied, sales: denied }))).toEqual(['vault-failing provider p1']);
  });

  test('not if one of the two providers was refused only once', () => {
    const postroom = stopped(
      { support: denied, sales: { ...denied, failures: 1 } },
      { boxes: two, providers },
    );
    expect(found(postroom)).toEqual(['vault-failing provider p1']);
  });

  test('for a past failure of one provider until that mailbox was retried', () => {
    const postroom = stopped({ support: denied });
    const without = (failures: number) =>
      found({ ...postroom, withoutVault: new Map([['support', failures]]) });
    expect(without(3)).toEqual(['vault-failing vault vault']);
    expect(without(2)).toEqual(['vault-failing provider p1']);
  });

  test('with the alert channels that fail because of it', () => {
    const failing = [{ part: 'vault' as const, message: 'no', since: ago(9) }];
    const channelFailures = [
      { secret: 'alert-webhook-url' as const, code: 'key-vault' as const, reason: 'no' },
    ];
    expect(found(facts([], { failing, channelFailures }))).toEqual(['vault-failing vault vault']);
    expect(found(facts([], { channelFailures }))).toEqual(['channel-unusable channel alert-webhook-url']);
  });

  test('but does not hide a failure of another kind', () => {
    const failing = [{ part: 'vault' as const, message: 'no', since: ago(9) }];
    expect(found(stopped({ support: failure('AADSTS50173') }, { failing }))).toEqual([
      'vault-failing vault vault',
      'consent-dead account a1',
    ]);
  });
});

describe('mailboxes without the vault', () => {
  const one = stopped({ support: denied });
  const still = (postroom: HealthFacts): unknown[] => [...stillWithoutVault(postroom)];

  test('are remembered with their failures while the vault is blamed', () => {
    const failing = [{ part: 'vault' as const, message: 'no', since: ago(9) }];
    expect(still({ ...one, failing })).toEqual([['support', 3]]);
    expect(still(stopped({ support: denied, sales: { ...denied, failures: 2 } }, { boxes: two }))).toEqual([
      ['support', 3],
      ['sales', 2],
    ]);
  });

  test('are not remembered while storage is unavailable, which proves nothing about the vault', () => {
    const failing = [{ part: 'storage' as const, message: 'no', since: ago(9) }];
    expect(still({ ...one, failing })).toEqual([]);
  });

  test('are remembered afterwards only until they were retried', () => {
    expect(still(one)).toEqual([]);
    expect(still({ ...one, withoutVault: new Map([['support', 3]]) })).toEqual([['support', 3]]);
    expect(still({ ...one, withoutVault: new Map([['support', 2]]) })).toEqual([]);
  });

  test('exclude those that are paused, have no failure or a different one', () => {
    const failing = [{ part: 'vault' as const, message: 'no', since: ago(9) }];
    const boxes = [mailbox('support', { enabled: false }), mailbox('sales'), mailbox('info')];
    const failures = { support: denied, info: failure('imap-no-access') };
    expect(still(stopped(failures, { boxes, failing }))).toEqual([]);
  });
});

describe('a mailbox that neither works nor fails', () => {
  const postroom = (count: number, change: Partial<HealthFacts> = {}): HealthFacts => {
    const boxes = ['support', 'sales', 'info'].slice(0, count).map((id) => mailbox(id));
    return stopped({}, { boxes, suspects: new Set(boxes.map(({ id }) => id)), ...change });
  };
  const state = (change: Partial<HealthFacts['state']>): HealthFacts['state'] => ({
    ...facts([]).state,
    ...change,
  });

  test('is reported at the second check', () => {
    expect(collectFindings(postroom(1), START)).toEqual([
      {
        kind: 'mailbox-silent',
        subject: { kind: 'mailbox', id: 'support', name: 'support@contoso.example' },
        severity: 'critical',
        headline: 'Not receiving mail from support@contoso.example: fetches do not finish.',
        cause:
          'Fetches start, but neither succeed nor fail: the queue fetch-shard is not processed, or every run is stopped early.',
        code: 'fetches-do-not-end',
        since: ago(120),
        affected: 'No mail is lost: it waits in the mailbox.',
        who: 'you',
        fix: { label: 'View health', href: '/health' },
      },
    ]);
    expect(found(postroom(1, { suspects: new Set() }))).toEqual([]);
  });

  test('and another one are one finding of the queue, since the first of them', () => {
    const successes = new Map([
      ['support', ago(120)],
      ['sales', ago(130)],
      ['info', ago(125)],
    ]);
    const [finding] = collectFindings(postroom(3, { state: state({ successes }) }), START);
    expect(finding).toMatchObject({
      subject: { kind: 'queue', id: 'fetch-shard', name: 'The queue of fetches' },
      severity: 'critical',
      headline:
        'Not receiving mail from info@contoso.example, sales@contoso.example and support@contoso.example: fetches do not finish.',
      since: ago(130),
      affected: 'No mail is lost: it waits in 3 mailboxes.',
    });
  });

  test('next to a working one is an error, and next to a paused one still affects all', () => {
    const boxes = [mailbox('support'), mailbox('sales')];
    const successes = new Map([
      ['support', ago(120)],
      ['sales', ago(1)],
    ]);
    const beside = { boxes, suspects: new Set(['support']), state: state({ successes }) };
    expect(collectFindings(stopped({}, beside), START)).toMatchObject([{ severity: 'error' }]);
    const paused = [mailbox('support'), mailbox('sales', { enabled: false })];
    expect(collectFindings(stopped({}, { ...beside, boxes: paused }), START)).toMatchObject([
      { severity: 'critical' },
    ]);
  });

  test('is not reported while no fetch starts at all', () => {
    const beats = new Map([['fetchMail' as const, { at: ago(30), since: ago(600) }]]);
    expect(found(postroom(1, { beats }))).toEqual(['timer-late timer fetchMail']);
    const lesser = new Map([['reviewSecrets' as const, { at: ago(60 * 30), since: ago(60 * 100) }]]);
    expect(found(postroom(1, { beats: lesser }))).toHaveLength(2);
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

  test('not because the whole app was stopped', () => {
    const back = (minutes: number) => new Map([['monitor' as const, { at: ago(1), since: ago(minutes) }]]);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(5), START)).toBe(false);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(14), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(14), back(500), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(5), back(500), START)).toBe(false);
  });

  test('not since a time in the future', () => {
    const back = (minutes: number) => new Map([['monitor' as const, { at: ago(1), since: ago(minutes) }]]);
    expect(isSilent({ intervalMinutes: 1 }, ago(-60), back(500), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(500), back(-60), START)).toBe(true);
    expect(isSilent({ intervalMinutes: 1 }, ago(-60), new Map(), START)).toBe(false);
  });

  test('since its last fetch, or since it was created', () => {
    const postroom = stopped({}, { boxes: [mailbox('support')] });
    expect(silentSince(mailbox('support'), postroom, START)).toBe(ago(120));
    const never = facts([mailbox('support')], { state: { successes: new Map() } });
    expect(silentSince(mailbox('support', { createdAt: ago(20) }), never, START)).toBe(ago(20));
    expect(silentSince(mailbox('support', { createdAt: ago(2) }), never, START)).toBeUndefined();
  });

  test('without a reason if it is on, has no failure and was not fetched', () => {
    const boxes = [mailbox('support'), mailbox('sales', { enabled: false }), mailbox('info'), mailbox('new')];
    const postroom = stopped({ info: failure('odd') }, { boxes });
    const successes = new Map([...postroom.state.successes, ['new', ago(1)] as const]);
    expect(silentWithoutReason({ ...postroom, state: { ...postroom.state, successes } }, START)).toEqual([
      'support',
    ]);
  });
});

describe('a finding on a page', () => {
  const alert = (findings: Alert['findings']): Alert => {
    const [finding] = Object.values(findings);
    if (finding === undefined) throw new Error('an alert without a finding');
    const at = iso(START);
    return {
      id: '1',
      key: keyOf(finding),
      findings,
      openedAt: at,
      notifiedAt: at,
      notificationCount: 1,
      notifiedAs: '',
    };
  };
  const standing = (postroom: HealthFacts, ...open: Alert[]): string[] =>
    named(currentFindings(open, postroom, START));
  const well = facts([mailbox('support')]);

  test('appears before the first monitor run has seen it', () => {
    expect(standing(stopped({ support: failure('AADSTS50173') }))).toEqual(['consent-dead account a1']);
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
  ] as const)('is not %s if that is fixed', (kind) => {
    expect(standing(well, alert({ watch: silent('support', { kind }) }))).toEqual([]);
  });

  test.each([
    'storage-failing',
    'vault-failing',
    'poison-queue',
    'row-unreadable',
    'mail-loop',
    'smtp-refused',
    'channel-unusable',
  ] as const)('is a %s that only the monitor can see', (kind) => {
    expect(standing(well, alert({ watch: silent('support', { kind }) }))).toEqual([
      `${kind} mailbox support`,
    ]);
  });

  test('may come from any source other than the monitor, whatever its kind', () => {
    expect(standing(well, alert({ review: secret('7 days') }))).toEqual(['secret-due provider p1']);
    const both = alert({ watch: secret('', { kind: 'secret-expired' }), review: secret('7 days') });
    expect(standing(well, both)).toEqual(['secret-due provider p1']);
    const sending = alert({ sending: silent('support', { kind: 'mailbox-silent' }) });
    expect(standing(well, sending)).toEqual(['mailbox-silent mailbox support']);
  });

  test('is as the page sees it, even if the alert has it, too', () => {
    const postroom = stopped({ support: failure('AADSTS50173') });
    const [seen] = currentFindings([], postroom, START);
    if (seen === undefined) throw new Error('nothing stands');
    const before = alert({ review: { ...seen, headline: 'as it was' } });
    expect(currentFindings([before], postroom, START)).toEqual([seen]);
  });

  test('is sorted by severity', () => {
    const postroom = stopped({ support: failure('AADSTS50173') });
    const open = [alert({ review: secret('7 days') }), alert({ watch: storageDown })];
    expect(standing(postroom, ...open)).toEqual([
      'storage-failing storage storage',
      'consent-dead account a1',
      'secret-due provider p1',
    ]);
  });

  test('is not about a provider while the vault as a whole fails', () => {
    const postroom = stopped({ support: denied, sales: failure('imap-no-access') });
    const accounts = [account({ state: 'ok', stateSince: ago(500) })];
    const whole = alert({
      watch: silent('vault', {
        kind: 'vault-failing',
        subject: { kind: 'vault', id: 'vault', name: 'Key Vault' },
      }),
    });
    expect(standing({ ...postroom, accounts }, whole)).toEqual([
      'vault-failing vault vault',
      'mailbox-silent mailbox sales',
    ]);
    const ofReview = alert({ review: secret('7 days') });
    expect(standing({ ...postroom, accounts }, ofReview, whole)).not.toContain('vault-failing provider p1');
    const ofOne = alert({ watch: silent('p9', { kind: 'vault-failing' }) });
    expect(standing({ ...postroom, accounts }, ofOne)).toContain('vault-failing provider p1');
    const other = alert({
      watch: silent('vault', { kind: 'row-unreadable', subject: { kind: 'vault', id: 'vault', name: '' } }),
    });
    expect(standing({ ...postroom, accounts }, other)).toContain('vault-failing provider p1');
  });
});
