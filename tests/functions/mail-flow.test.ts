import { beforeEach, describe, expect, test, vi } from 'vitest';
import { mailboxLine, mailFlow } from '../../functions/pages/status/mail-flow.ts';
import { allowedSilence } from '../../shared/alerts/health-facts.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { secret } from '../harness/memory/sample-findings.ts';
import { postrooms } from '../harness/pages/alert-pages.ts';
import { NOW, type SamplePostroom } from '../harness/pages/sample-postroom.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const postroomNamed = async (name: string): Promise<SamplePostroom> => {
  const postroom = await postrooms[name]?.();
  if (postroom === undefined) throw new Error(`no installation ${name}`);
  return postroom;
};
const warn = (postroom: SamplePostroom): Promise<void> =>
  postroom.services.alerts.observe({ source: 'review', findings: [secret('1 day')] });
const home = async (postroom: SamplePostroom): Promise<string> =>
  (await postroom.ask('/', { role: 'admin' })).text();
const title = (html: string): string => /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '';

describe('the home page', () => {
  test('shows a warning even if every mailbox is paused', async () => {
    const postroom = await postroomNamed('calm');
    for (const mailbox of await postroom.mailboxes.list())
      await postroom.mailboxes.save({ ...mailbox, enabled: false });
    await warn(postroom);
    const html = await home(postroom);
    expect(title(html)).toBe('All mailboxes are paused');
    expect(html).toContain('The client secret of Contoso ends in 1 day.');
  });

  test('shows a warning before a recent failed fetch, and does not say that all is fetched', async () => {
    const postroom = await postroomNamed('a hiccup');
    expect(title(await home(postroom))).toBe('1 mailbox is retrying');
    await warn(postroom);
    const html = await home(postroom);
    expect(title(html)).toBe('The client secret of Contoso ends in 1 day');
    expect(html).toContain('The last fetch of billing@contoso.example failed.');
    expect(html).not.toContain('Email is still fetched from all mailboxes.');
  });

  test('does not say that all is fetched while a fixed mailbox waits for its next attempt', () => {
    const lines = [{ state: 'action-required' }] as unknown as Parameters<typeof mailFlow>[0];
    expect(mailFlow(lines, []).kind).toBe('hiccup');
  });

  test('shows a mailbox as silent exactly when an alert would', () => {
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), intervalMinutes: 5, enabled: true };
    const stateAfter = (silence: number): string => {
      const health = { state: 'ok', lastSuccessAt: new Date(NOW - silence).toISOString() } as const;
      return mailboxLine(mailbox, health as Parameters<typeof mailboxLine>[1], new Map(), NOW).state;
    };
    expect(stateAfter(allowedSilence(mailbox))).toBe('ok');
    expect(stateAfter(allowedSilence(mailbox) + 1)).toBe('silent');
  });

  test('shows a mailbox as silent whose last fetch is in the future, once the monitor has run for long enough', () => {
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), intervalMinutes: 5, enabled: true };
    const health = { state: 'ok', lastSuccessAt: new Date(NOW + 3_600_000).toISOString() } as const;
    const stateSince = (back: number): string => {
      const since = new Date(NOW - back).toISOString();
      const beats = new Map([['monitor', { at: new Date(NOW).toISOString(), since }]] as const);
      return mailboxLine(mailbox, health as Parameters<typeof mailboxLine>[1], beats, NOW).state;
    };
    expect(stateSince(allowedSilence(mailbox))).toBe('ok');
    expect(stateSince(allowedSilence(mailbox) + 1)).toBe('silent');
  });

  test('can be used in a browser in both cases', async () => {
    const off = await postroomNamed('calm');
    for (const mailbox of await off.mailboxes.list())
      await off.mailboxes.save({ ...mailbox, enabled: false });
    const hiccup = await postroomNamed('a hiccup');
    await warn(off);
    await warn(hiccup);
    const drawn = { 'all off and a warning': await home(off), 'a hiccup and a warning': await home(hiccup) };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });

  test('shows a warning before the welcome if there is no mailbox', () => {
    expect(mailFlow([], []).kind).toBe('not-set-up');
    expect(mailFlow([], [secret('1 day')]).kind).toBe('warned');
  });
});
