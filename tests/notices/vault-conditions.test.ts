/** The vault as a whole, and what it does to one provider. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { readDesk } from '../../shared/notices/look-at-desk.ts';
import { standingConditions } from '../../shared/notices/standing-conditions.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { sampleProvider } from '../harness/pages/sample-desk.ts';
import { PROVIDER, WatchedDesk } from './watched-desk.ts';

const OTHER = 'q'.repeat(26);
const withheld = [
  'key-vault-denied',
  'Key Vault does not give out the client secret: it refuses this desk. Key Vault did not get provider-p (status 403).',
  'retrying',
] as const;
const busy = new PostroomError('key-vault-throttled', 'Key Vault did not get x (status 429)');
let desk: WatchedDesk;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  desk = new WatchedDesk();
  await desk.account();
  await desk.providers.save({ ...sampleProvider, id: OTHER, name: 'Fabrikam' });
  await desk.mailbox('support');
  await desk.mailbox('sales');
  await desk.mailbox('fabrikam', { providerId: OTHER });
  await desk.minutes(20);
});

describe('a vault that answers the look', () => {
  test('and withholds the secret of one provider is that provider’s notice; the desk stays ready', async () => {
    await desk.stop('support', ...withheld);
    await desk.stop('sales', ...withheld);
    await desk.minutes(5);
    expect(desk.heard()).toEqual(['opened vault-failing']);
    const [condition] = await desk.open();
    expect(condition).toMatchObject({
      subject: { kind: 'provider', id: PROVIDER },
      severity: 'error',
      who: 'you',
      headline: `sales@contoso.example and support@contoso.example are not fetched: the key vault does not give out the secret of ${sampleProvider.name}.`,
      affected: 'No mail is lost: it waits in 2 mailboxes.',
    });
    expect(await desk.watch.glance()).toBe(true);
    await desk.mend('support');
    await desk.mend('sales');
    await desk.minutes(1);
    expect(desk.heard().at(-1)).toBe('closed vault-failing');
  });

  test('and withholds those of several providers is blamed itself', async () => {
    await desk.stop('support', ...withheld);
    await desk.stop('fabrikam', ...withheld);
    await desk.minutes(2);
    expect(desk.heard()).toEqual(['opened vault-failing']);
    expect((await desk.open())[0]).toMatchObject({ subject: { kind: 'vault' }, severity: 'critical' });
  });

  test('that it is too busy once is no news', async () => {
    const strike = (): void => {
      desk.broken = /^vault\./;
      desk.failure = () => {
        desk.broken = undefined;
        return busy;
      };
    };
    strike();
    expect(await desk.watch.glance()).toBe(true);
    expect(desk.broken).toBeUndefined();
    strike();
    await desk.minutes(10);
    expect(desk.broken).toBeUndefined();
    expect(desk.heard()).toEqual([]);
  });

  test('that it is too busy again and again is a notice', async () => {
    desk.broken = /^vault\./;
    desk.failure = () => busy;
    await desk.minutes(7);
    expect(desk.heard()).toEqual(['opened vault-failing']);
    expect((await desk.open())[0]).toMatchObject({ code: 'key-vault-throttled', who: 'nobody: wait' });
  });
});

test('while mailboxes wait for their next try, a vault that answers again is still what they miss, and no provider', async () => {
  desk.broken = /^vault\./;
  await desk.stop('support', ...withheld);
  await desk.stop('fabrikam', ...withheld);
  await desk.minutes(6);
  desk.broken = undefined;
  await desk.mend('fabrikam');
  await desk.minutes(3);
  expect(desk.heard()).toEqual(['opened vault-failing']);
  await desk.mend('support');
  await desk.minutes(1);
  expect(desk.heard()).toEqual(['opened vault-failing', 'closed vault-failing']);
});

test('what fails again after the vault answered is that provider’s trouble', async () => {
  desk.broken = /^vault\./;
  await desk.stop('support', ...withheld);
  await desk.minutes(6);
  desk.broken = undefined;
  await desk.minutes(1);
  const { troubles } = await desk.mailboxes.fetchState();
  const trouble = troubles.get('support');
  if (trouble === undefined) throw new TypeError('no trouble');
  await desk.mailboxes.saveTrouble('support', { ...trouble, failures: trouble.failures + 1 });
  await desk.minutes(1);
  expect((await desk.open()).map(({ subject }) => subject.kind)).toEqual(['provider']);
});

test('a vault that never answers is a failing vault and no failing storage', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  desk.silent = /^vault\./;
  for (let minute = 0; minute < 6; minute++) {
    const run = desk.minutes(1);
    await vi.advanceTimersByTimeAsync(59_000);
    await run;
  }
  expect(desk.heard()).toEqual(['opened vault-failing']);
  expect((await desk.open())[0]).toMatchObject({ subject: { kind: 'vault' }, code: 'key-vault' });
});

test('where the whole vault fails, a page blames no provider beside it', async () => {
  desk.broken = /^vault\./;
  await desk.stop('support', ...withheld);
  await desk.minutes(2);
  const facts = await readDesk(desk, desk.now);
  const standing = standingConditions(await desk.notices.open(), facts, desk.now);
  expect(standing.map(({ kind, subject }) => [kind, subject.kind])).toEqual([['vault-failing', 'vault']]);
});
