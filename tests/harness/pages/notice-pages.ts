import { channelConditions } from '../../../shared/notices/channel-conditions.ts';
import type { Condition } from '../../../shared/notices/notice.ts';
import { Secret } from '../../../shared/platform/secret.ts';
import { secret, silent } from '../memory/sample-conditions.ts';
import { fillDesk } from '../memory/sample-mail.ts';
import { ago, NOW, type SampleDesk, sampleDesk, sampleProvider } from './sample-desk.ts';

const hour = (back: number): string => new Date(NOW - back * 3_600_000).toISOString().slice(0, 13);

/** A desk with a day of mail behind it. */
async function busyDesk(): Promise<SampleDesk> {
  const desk = sampleDesk();
  await desk.providers.save(sampleProvider);
  await fillDesk(desk);
  const mails = [0, 0, 0, 1, 0, 0, 2, 5, 14, 22, 31, 18, 9, 12, 25, 19, 11, 6, 2, 0, 1, 0, 3, 8];
  const { shards } = await desk.mailboxes.fetchState();
  await desk.mailboxes.saveSuccesses(
    0,
    shards.get(0) ?? new Map(),
    mails.map((count, index) => ({ hour: hour(23 - index), mails: count, quarantined: 0 })),
  );
  return desk;
}

const stop = (
  desk: SampleDesk,
  id: string,
  code: string,
  problem: string,
  state: 'needs-person' | 'retrying',
) =>
  desk.mailboxes.saveTrouble(id, {
    state,
    code,
    problem,
    since: ago(95),
    failures: 9,
    triedAt: ago(1),
    nextTryAt: ago(-4),
  });

const observe = (desk: SampleDesk, conditions: readonly Condition[]): Promise<void> =>
  desk.services.notices.observe({ source: 'review', conditions });

/** A desk in each state that the home page, the notices and the health page tell apart, by name. */
export const desks: Readonly<Record<string, () => Promise<SampleDesk>>> = {
  async calm() {
    const desk = await busyDesk();
    // A paused mailbox is not calm: somebody may have forgotten it.
    await desk.mailboxes.remove('old');
    for (const name of ['fetchMail', 'sweep', 'refreshTokens'] as const)
      await desk.services.heartbeats.beat(name, NOW - 60_000);
    return desk;
  },
  async 'a dead sign-in'() {
    const desk = await busyDesk();
    const said =
      'The sign-in of support@contoso.example has ended. AADSTS50173: The provided grant has expired due to it being revoked.';
    await stop(desk, 'support', 'AADSTS50173', said, 'needs-person');
    await stop(desk, 'billing', 'AADSTS50173', said, 'needs-person');
    const cursor = { uidValidity: '1', uid: 9, left: [], waiting: [], lastMailAt: ago(190), backlog: 14 };
    await desk.mailboxes.saveCursor('billing', cursor);
    return desk;
  },
  async 'several faults'() {
    const desk = await busyDesk();
    await stop(desk, 'support', 'imap-no-access', 'User is authenticated but not connected.', 'needs-person');
    await observe(desk, [
      secret('7 days', {
        cause: 'Its last day is 1 December 2026.',
      }),
    ]);
    await desk.services.heartbeats.beat('fetchMail', NOW - 60 * 60_000);
    return desk;
  },
  async 'a late timer'() {
    const desk = await busyDesk();
    await desk.mailboxes.saveSuccesses(
      0,
      new Map([
        ['support', ago(11)],
        // Longer than it may be silent: that is no fault of its own.
        ['billing', ago(16)],
      ]),
    );
    await desk.services.heartbeats.beat('fetchMail', NOW - 11 * 60_000);
    return desk;
  },
  async 'channels that cannot be used'() {
    const desk = await busyDesk();
    for (const name of ['fetchMail', 'sweep', 'refreshTokens', 'reviewSecrets'] as const)
      await desk.services.heartbeats.beat(name, NOW - 60_000);
    const { vault, notices, channelSecrets, seam } = desk.services;
    const values = {
      'smtp-relay-url': 'nowhere',
      'alert-webhook-url': 'http://hooks.example',
      'alert-webhook-key': 'k',
    };
    for (const [name, value] of Object.entries(values))
      await vault.set(name, new Secret(value), { contentType: 'text/plain' });
    const { troubles } = await channelSecrets.read();
    const conditions = channelConditions(troubles, seam.now(), { isVaultBlamed: false });
    await notices.observe({ source: 'watch', conditions });
    return desk;
  },
  async 'a warning'() {
    const desk = await busyDesk();
    await observe(desk, [secret('30 days')]);
    return desk;
  },
  async 'a hiccup'() {
    const desk = await busyDesk();
    await stop(desk, 'billing', 'imap-unavailable', 'The mail server does not answer.', 'retrying');
    await desk.mailboxes.saveSuccesses(
      0,
      new Map([
        ['support', ago(1)],
        ['billing', ago(3)],
      ]),
    );
    return desk;
  },
  async 'what is over'() {
    const desk = await busyDesk();
    await observe(desk, [silent('support'), secret('30 days')]);
    await observe(desk, [secret('30 days')]);
    return desk;
  },
};
