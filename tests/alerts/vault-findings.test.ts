/** The vault as a whole, and its failures for one provider. */
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { collectHealth } from '../../shared/alerts/collect-health.ts';
import { currentFindings } from '../../shared/alerts/current-findings.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { sampleProvider } from '../harness/pages/sample-postroom.ts';
import { PROVIDER, WatchedPostroom } from './monitored-postroom.ts';

const OTHER = 'q'.repeat(26);
const withheld = [
  'key-vault-denied',
  'Key Vault does not give out the client secret: it refuses this installation. Key Vault did not get provider-p (status 403).',
  'retrying',
] as const;
const busy = new PostroomError('key-vault-throttled', 'Key Vault did not get x (status 429)');
let postroom: WatchedPostroom;
beforeEach(async () => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  postroom = new WatchedPostroom();
  await postroom.account();
  await postroom.providers.save({ ...sampleProvider, id: OTHER, name: 'Fabrikam' });
  await postroom.mailbox('support');
  await postroom.mailbox('sales');
  await postroom.mailbox('fabrikam', { providerId: OTHER });
  await postroom.minutes(20);
});

describe('a vault that passes the health check', () => {
  test('and refuses the secret of one provider is an alert of that provider; the installation stays ready', async () => {
    await postroom.stop('support', ...withheld);
    await postroom.stop('sales', ...withheld);
    await postroom.minutes(5);
    expect(postroom.heard()).toEqual(['opened vault-failing']);
    const [finding] = await postroom.open();
    expect(finding).toMatchObject({
      subject: { kind: 'provider', id: PROVIDER },
      severity: 'error',
      who: 'you',
      headline: `Not receiving mail from sales@contoso.example and support@contoso.example: Key Vault does not return the secret of ${sampleProvider.name}.`,
      affected: 'No mail is lost: it waits in 2 mailboxes.',
    });
    expect(await postroom.watch.glance()).toBe(true);
    await postroom.fix('support');
    await postroom.fix('sales');
    await postroom.minutes(1);
    expect(postroom.heard().at(-1)).toBe('closed vault-failing');
  });

  test('and refuses those of several providers is blamed itself', async () => {
    await postroom.stop('support', ...withheld);
    await postroom.stop('fabrikam', ...withheld);
    await postroom.minutes(2);
    expect(postroom.heard()).toEqual(['opened vault-failing']);
    expect((await postroom.open())[0]).toMatchObject({ subject: { kind: 'vault' }, severity: 'critical' });
  });

  test('and is too busy once is no alert', async () => {
    const strike = (): void => {
      postroom.broken = /^vault\./;
      postroom.failure = () => {
        postroom.broken = undefined;
        return busy;
      };
    };
    strike();
    expect(await postroom.watch.glance()).toBe(true);
    expect(postroom.broken).toBeUndefined();
    strike();
    await postroom.minutes(10);
    expect(postroom.broken).toBeUndefined();
    expect(postroom.heard()).toEqual([]);
  });

  test('and is too busy repeatedly is an alert', async () => {
    postroom.broken = /^vault\./;
    postroom.failure = () => busy;
    await postroom.minutes(7);
    expect(postroom.heard()).toEqual(['opened vault-failing']);
    expect((await postroom.open())[0]).toMatchObject({ code: 'key-vault-throttled', who: 'nobody: wait' });
  });
});

test('is still blamed for mailboxes that wait for their next attempt, instead of a provider', async () => {
  postroom.broken = /^vault\./;
  await postroom.stop('support', ...withheld);
  await postroom.stop('fabrikam', ...withheld);
  await postroom.minutes(6);
  postroom.broken = undefined;
  await postroom.fix('fabrikam');
  await postroom.minutes(3);
  expect(postroom.heard()).toEqual(['opened vault-failing']);
  await postroom.fix('support');
  await postroom.minutes(1);
  expect(postroom.heard()).toEqual(['opened vault-failing', 'closed vault-failing']);
});

test('and then fails for one provider again is a failure of that provider', async () => {
  postroom.broken = /^vault\./;
  await postroom.stop('support', ...withheld);
  await postroom.minutes(6);
  postroom.broken = undefined;
  await postroom.minutes(1);
  const { failing } = await postroom.mailboxes.fetchState();
  const failure = failing.get('support');
  if (failure === undefined) throw new TypeError('no trouble');
  await postroom.mailboxes.setFailure('support', { ...failure, failures: failure.failures + 1 });
  await postroom.minutes(1);
  expect((await postroom.open()).map(({ subject }) => subject.kind)).toEqual(['provider']);
});

test('a vault that never responds is a failure of the vault and not of storage', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  postroom.silent = /^vault\./;
  for (let minute = 0; minute < 6; minute++) {
    const run = postroom.minutes(1);
    await vi.advanceTimersByTimeAsync(59_000);
    await run;
  }
  expect(postroom.heard()).toEqual(['opened vault-failing']);
  expect((await postroom.open())[0]).toMatchObject({ subject: { kind: 'vault' }, code: 'key-vault' });
});

test('a page blames no provider while the whole vault fails', async () => {
  postroom.broken = /^vault\./;
  await postroom.stop('support', ...withheld);
  await postroom.minutes(2);
  const facts = await collectHealth(postroom);
  const standing = currentFindings(await postroom.alerts.open(), facts, postroom.now);
  expect(standing.map(({ kind, subject }) => [kind, subject.kind])).toEqual([['vault-failing', 'vault']]);
});
