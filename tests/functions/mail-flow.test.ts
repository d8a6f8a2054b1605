import { beforeEach, describe, expect, test, vi } from 'vitest';
import { mailboxLine, mailFlow } from '../../functions/pages/status/mail-flow.ts';
import { allowedSilence } from '../../shared/notices/desk-facts.ts';
import { expectUsableInBrowser, expectWhole } from '../harness/browser/check-drawn.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { secret } from '../harness/memory/sample-conditions.ts';
import { desks } from '../harness/pages/notice-pages.ts';
import { NOW, type SampleDesk } from '../harness/pages/sample-desk.ts';

beforeEach(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const deskNamed = async (name: string): Promise<SampleDesk> => {
  const desk = await desks[name]?.();
  if (desk === undefined) throw new Error(`no desk ${name}`);
  return desk;
};
const warn = (desk: SampleDesk): Promise<void> =>
  desk.services.notices.observe({ source: 'review', conditions: [secret('1 day')] });
const home = async (desk: SampleDesk): Promise<string> => (await desk.ask('/', { role: 'admin' })).text();
const title = (html: string): string => /<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '';

describe('the home page', () => {
  test('shows a warning also where every mailbox is switched off', async () => {
    const desk = await deskNamed('calm');
    for (const mailbox of await desk.mailboxes.list())
      await desk.mailboxes.save({ ...mailbox, enabled: false });
    await warn(desk);
    const html = await home(desk);
    expect(title(html)).toBe('No mail is fetched');
    expect(html).toContain('The client secret of Contoso ends in 1 day.');
  });

  test('says a warning before a fetch that failed a moment ago, and says not that all is fetched', async () => {
    const desk = await deskNamed('a hiccup');
    expect(title(await home(desk))).toBe('1 mailbox is retrying');
    await warn(desk);
    const html = await home(desk);
    expect(title(html)).toBe('The client secret of Contoso ends in 1 day');
    expect(html).toContain('The last try to fetch billing@contoso.example failed.');
    expect(html).not.toContain('All mail is fetched as it should be.');
  });

  test('does not say that all is fetched while a mended mailbox waits for its next try', () => {
    const lines = [{ state: 'needs-person' }] as unknown as Parameters<typeof mailFlow>[0];
    expect(mailFlow(lines, []).kind).toBe('hiccup');
  });

  test('calls a mailbox silent exactly when a notice would', () => {
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), intervalMinutes: 5, enabled: true };
    const stateAfter = (silence: number): string => {
      const health = { state: 'works', lastSuccessAt: new Date(NOW - silence).toISOString() } as const;
      return mailboxLine(mailbox, health as Parameters<typeof mailboxLine>[1], new Map(), NOW).state;
    };
    expect(stateAfter(allowedSilence(mailbox))).toBe('works');
    expect(stateAfter(allowedSilence(mailbox) + 1)).toBe('silent');
  });

  test('calls a mailbox silent whose last fetch lies in the future, once the sweep is back for long enough', () => {
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), intervalMinutes: 5, enabled: true };
    const health = { state: 'works', lastSuccessAt: new Date(NOW + 3_600_000).toISOString() } as const;
    const stateSince = (back: number): string => {
      const since = new Date(NOW - back).toISOString();
      const beats = new Map([['sweep', { at: new Date(NOW).toISOString(), since }]] as const);
      return mailboxLine(mailbox, health as Parameters<typeof mailboxLine>[1], beats, NOW).state;
    };
    expect(stateSince(allowedSilence(mailbox))).toBe('works');
    expect(stateSince(allowedSilence(mailbox) + 1)).toBe('silent');
  });

  test('can be used in a browser in both cases', { timeout: 60_000 }, async () => {
    const off = await deskNamed('calm');
    for (const mailbox of await off.mailboxes.list())
      await off.mailboxes.save({ ...mailbox, enabled: false });
    const hiccup = await deskNamed('a hiccup');
    await warn(off);
    await warn(hiccup);
    const drawn = { 'all off and a warning': await home(off), 'a hiccup and a warning': await home(hiccup) };
    expectWhole(drawn);
    await expectUsableInBrowser(drawn);
  });

  test('without a mailbox, a warning comes before the welcome', () => {
    expect(mailFlow([], []).kind).toBe('not-set-up');
    expect(mailFlow([], [secret('1 day')]).kind).toBe('warned');
  });
});
