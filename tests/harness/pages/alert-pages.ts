import type { Finding } from '../../../shared/alerts/alert.ts';
import { channelFindings } from '../../../shared/alerts/channel-findings.ts';
import { codeFrom } from '../../../shared/platform/problem.ts';
import { Secret } from '../../../shared/platform/secret.ts';
import { secret, silent } from '../memory/sample-findings.ts';
import { fillPostroom } from '../memory/sample-mail.ts';
import { ago, NOW, type SamplePostroom, samplePostroom, sampleProvider } from './sample-postroom.ts';

const hour = (back: number): string => new Date(NOW - back * 3_600_000).toISOString().slice(0, 13);

/** An installation after a day of email. */
async function busyPostroom(): Promise<SamplePostroom> {
  const postroom = samplePostroom();
  await postroom.providers.save(sampleProvider);
  await fillPostroom(postroom);
  for (const { mailboxId, key } of await postroom.quarantine.open(100)) {
    const entry = await postroom.quarantine.get(mailboxId, key);
    const handled = { outcome: 'dismissed', at: ago(1), by: 'Mira Sund' } as const;
    if (entry !== undefined) await postroom.quarantine.markHandled(entry, handled);
  }
  const emails = [0, 0, 0, 1, 0, 0, 2, 5, 14, 22, 31, 18, 9, 12, 25, 19, 11, 6, 2, 0, 1, 0, 3, 8];
  const { shards } = await postroom.mailboxes.fetchState();
  await postroom.mailboxes.saveSuccesses(
    0,
    shards.get(0) ?? new Map(),
    emails.map((count, index) => ({ hour: hour(23 - index), emails: count, quarantined: 0 })),
  );
  return postroom;
}

const stop = (
  postroom: SamplePostroom,
  id: string,
  code: string,
  problem: string,
  state: 'action-required' | 'retrying',
) =>
  postroom.mailboxes.setFailure(id, {
    state,
    code: codeFrom(code),
    problem,
    since: ago(95),
    failures: 9,
    triedAt: ago(1),
    nextTryAt: ago(-4),
  });

const observe = (postroom: SamplePostroom, findings: readonly Finding[]): Promise<void> =>
  postroom.services.alerts.observe({ source: 'review', findings });

/** An installation in each state that the home page, the alerts page and the health page distinguish, by name. */
export const postrooms: Readonly<Record<string, () => Promise<SamplePostroom>>> = {
  async calm() {
    const postroom = await busyPostroom();
    // A paused mailbox is not calm: it may have been forgotten.
    await postroom.mailboxes.remove('old');
    for (const name of ['fetchMail', 'monitor', 'refreshTokens'] as const)
      await postroom.services.heartbeats.beat(name, NOW - 60_000);
    return postroom;
  },
  async 'a dead sign-in'() {
    const postroom = await busyPostroom();
    const said =
      'The sign-in of support@contoso.example has ended. AADSTS50173: The provided grant has expired due to it being revoked.';
    await stop(postroom, 'support', 'AADSTS50173', said, 'action-required');
    await stop(postroom, 'billing', 'AADSTS50173', said, 'action-required');
    const cursor = {
      validity: '1',
      position: { uid: 9 },
      left: [],
      waiting: [],
      lastMailAt: ago(190),
      backlog: 14,
    };
    await postroom.mailboxes.saveCursor('billing', cursor);
    return postroom;
  },
  async 'several faults'() {
    const postroom = await busyPostroom();
    await stop(
      postroom,
      'support',
      'imap-no-access',
      'User is authenticated but not connected.',
      'action-required',
    );
    await observe(postroom, [
      secret('7 days', {
        cause: 'Its last day is 1 December 2026.',
      }),
    ]);
    await postroom.services.heartbeats.beat('fetchMail', NOW - 60 * 60_000);
    return postroom;
  },
  async 'a late timer'() {
    const postroom = await busyPostroom();
    await postroom.mailboxes.saveSuccesses(
      0,
      new Map([
        ['support', ago(11)],
        // Longer than it may be silent, which is no fault of its own.
        ['billing', ago(16)],
      ]),
    );
    await postroom.services.heartbeats.beat('fetchMail', NOW - 11 * 60_000);
    return postroom;
  },
  async 'channels that cannot be used'() {
    const postroom = await busyPostroom();
    for (const name of ['fetchMail', 'monitor', 'refreshTokens', 'reviewSecrets'] as const)
      await postroom.services.heartbeats.beat(name, NOW - 60_000);
    const { vault, alerts, channelSecrets, seam } = postroom.services;
    const values = {
      'smtp-relay-url': 'nowhere',
      'alert-webhook-url': 'http://hooks.example',
      'alert-webhook-key': 'k',
    };
    for (const [name, value] of Object.entries(values))
      await vault.set(name, new Secret(value), { contentType: 'text/plain' });
    const { failures } = await channelSecrets.read();
    const findings = channelFindings(failures, seam.now(), { isVaultBlamed: false });
    await alerts.observe({ source: 'watch', findings });
    return postroom;
  },
  async 'a warning'() {
    const postroom = await busyPostroom();
    await observe(postroom, [secret('30 days')]);
    return postroom;
  },
  async 'a hiccup'() {
    const postroom = await busyPostroom();
    await stop(postroom, 'billing', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    await postroom.mailboxes.saveSuccesses(
      0,
      new Map([
        ['support', ago(1)],
        ['billing', ago(3)],
      ]),
    );
    return postroom;
  },
  async 'what is over'() {
    const postroom = await busyPostroom();
    await observe(postroom, [silent('support'), secret('30 days')]);
    await observe(postroom, [secret('30 days')]);
    return postroom;
  },
};
