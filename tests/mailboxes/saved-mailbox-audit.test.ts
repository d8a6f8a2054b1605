/** Changes of a mailbox that a crash interrupts: no change without its audit entry. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { connectSupport, type DemoApp, startDemoApp, type Visitor } from '../harness/pages/demo-app.ts';
import { dieAt } from '../harness/pages/die-at.ts';
import { fillInbox, mailboxOf } from '../harness/pages/sample-mailbox.ts';

let app: DemoApp;
let visitor: Visitor;
let mailbox: Mailbox;
beforeAll(async () => {
  app = await startDemoApp();
  fillInbox(app, ['Only one']);
  const connected = await connectSupport(app);
  visitor = connected.visitor;
  mailbox = mailboxOf(connected.account);
});
beforeEach(() => app.services.mailboxes.save(mailbox));
afterAll(() => app.stop());

const newest = async (): Promise<string | undefined> =>
  (await app.services.audit.page({ kind: 'mailbox', id: mailbox.id, limit: 1 })).entries[0]?.action;

test.each([
  ['pause', 'paused', (now: Mailbox | undefined) => now?.enabled === false],
  ['delete', 'deleted', (now: Mailbox | undefined) => now === undefined],
])(
  '%s that crashes after any of its calls has its entry, and can be repeated',
  async (path, entry, isDone) => {
    for (let call = 1; ; call += 1) {
      const crash = dieAt(app.seam, call);
      await visitor.post(`/mailboxes/${mailbox.id}/${path}`, {});
      const died = crash.end();
      const done = isDone(await app.services.mailboxes.get(mailbox.id));
      if (done) expect(await newest(), `died after ${died}`).toBe(entry);
      if (died === undefined) {
        expect(done).toBe(true);
        expect(call).toBeGreaterThan(2);
        break;
      }
    }
  },
);
