import { beforeEach, expect, test } from 'vitest';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { iso, START } from '../harness/memory/sample-findings.ts';
import { WatchedPostroom } from './monitored-postroom.ts';

let postroom: WatchedPostroom;

beforeEach(async () => {
  postroom = new WatchedPostroom();
  await postroom.account();
});

async function refused(afterFetch: Mailbox['afterFetch'], action: string, problem: string): Promise<void> {
  await postroom.mailbox('support', { afterFetch });
  const cursor = { validity: '1', position: { uid: 9 }, left: [], waiting: [], lastMailAt: undefined };
  const refusal = { action, problem, since: iso(START), triedAt: iso(START) };
  await postroom.mailboxes.saveCursor('support', { ...cursor, refusal });
  await postroom.minutes(2);
}

test('a server that does not allow stored email to be marked is a warning about that mailbox, with its fix, until it does', async () => {
  const problem = 'The mail server did not mark as read. It said: [NOPERM] You may only read here.';
  await refused({ kind: 'mark-seen' }, 'mark-seen', problem);
  const [finding] = await postroom.open();
  expect(finding).toMatchObject({
    kind: 'marking-refused',
    severity: 'warning',
    subject: { kind: 'mailbox', id: 'support' },
    headline: 'Imported email of support@contoso.example cannot be marked as read.',
    code: 'imap-refused',
    who: 'tenant-admin',
    fix: { href: '/mailboxes/support/edit' },
  });
  expect(finding?.cause).toContain('You may only read here.');
  const cursor = (await postroom.mailboxes.fetchState()).cursors.get('support');
  if (cursor === undefined) throw new Error('no cursor');
  await postroom.mailboxes.saveCursor('support', { ...cursor, refusal: undefined });
  await postroom.minutes(2);
  expect(postroom.heard()).toEqual(['opened marking-refused', 'closed marking-refused']);
});

test('a missing folder is named, and its fix is in the mailbox’s settings', async () => {
  const problem = "The mail server did not move. It said: [TRYCREATE] Done doesn't exist.";
  await refused({ kind: 'move', folder: 'Done' }, 'move Done', problem);
  expect((await postroom.open())[0]).toMatchObject({
    headline: 'Imported email of support@contoso.example cannot be moved to “Done”.',
    code: 'imap-target-missing',
    who: 'you',
    fix: {
      label: 'Correct the folder for stored email of support@contoso.example',
      href: '/mailboxes/support/edit',
    },
  });
});

test('a refusal under an earlier setting is no alert', async () => {
  await refused({ kind: 'mark-seen' }, 'move Done', 'The mail server did not move');
  expect(await postroom.open()).toEqual([]);
});
