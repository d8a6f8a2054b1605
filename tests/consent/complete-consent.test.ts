/** A callback that a crash interrupts, after each call that it makes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';
import { dieAt } from '../harness/pages/die-at.ts';
import { mailboxOf } from '../harness/pages/sample-mailbox.ts';

const SUPPORT = 'support@contoso.example';
let app: DemoApp;
beforeAll(async () => {
  app = await startDemoApp();
});
afterAll(() => app.stop());

describe('a sign-in whose process crashes in the callback', () => {
  test('leaves no account without its audit entry, after whichever call it crashes', async () => {
    const visitor = new Visitor(app);
    const providerId = await visitor.addDemoProvider();
    const accounts = () => app.services.accounts.listOf(providerId);
    const entries = async () =>
      (await app.services.audit.page({ kind: 'account', limit: 100 })).entries.map(({ action }) => action);
    const died: string[] = [];
    for (let call = 1; ; call += 1) {
      for (const account of await accounts()) await app.services.accounts.remove(account);
      const known = (await entries()).length;
      const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
      const crash = dieAt(app.seam, call);
      await visitor.returned(callback);
      const point = crash.end();
      const told = (await entries()).slice(0, -known || undefined);
      if ((await accounts()).length > 0) expect(told, `died after ${point}`).toContain('connected');
      if (point === undefined) break;
      died.push(point);
    }
    expect(died.length).toBeGreaterThan(5);
    expect(died.some((point) => point.startsWith('table.Audit'))).toBe(true);
  });
});

describe('a sign-in for a mailbox that had stopped', () => {
  test('clears its failure, so that it is fetched within a minute', async () => {
    const visitor = new Visitor(app);
    const [provider] = await app.services.providers.list();
    const providerId = provider?.id ?? '';
    const [account] = await app.services.accounts.listOf(providerId);
    if (account === undefined) throw new Error('no account');
    const mailbox = mailboxOf(account);
    await app.services.mailboxes.save(mailbox);
    const at = new Date(app.seam.now()).toISOString();
    await app.services.mailboxes.setFailure(mailbox.id, {
      state: 'action-required',
      code: 'AADSTS50173',
      problem: 'The grant has ended.',
      since: at,
      failures: 1,
      triedAt: at,
      nextTryAt: at,
    });
    const { callback } = await visitor.leave(providerId, { address: SUPPORT, mailbox: mailbox.id }, SUPPORT);
    expect((await visitor.returned(callback)).location).toBe(`/mailboxes/${mailbox.id}/connected`);
    expect((await app.services.mailboxes.fetchState()).failing.has(mailbox.id)).toBe(false);
    const [entry] = (await app.services.audit.page({ kind: 'account', limit: 1 })).entries;
    expect(entry?.action).toBe('connected again');
  });
});
