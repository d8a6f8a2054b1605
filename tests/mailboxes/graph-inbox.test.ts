/** Microsoft Graph as a protocol to fetch email. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { openGraphInbox } from '../../shared/mailboxes/graph-inbox.ts';
import type { Inbox, InboxAddress } from '../../shared/mailboxes/inbox.ts';
import type { MessageRef } from '../../shared/mailboxes/message-ref.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { openMemoryGraph } from '../harness/memory/memory-graph.ts';
import { MemoryFolder } from '../harness/memory/memory-inbox.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, plainMail, sam, support, type TokenWishes } from '../harness/stack/mail-lab.ts';
import { describeInbox, graphTraits } from './inbox-contract.ts';

const locally = { local: true };

describe('an inbox of Microsoft Graph in memory', () => {
  const folder = new MemoryFolder();
  describeInbox({
    async fill(raws) {
      folder.mails = [];
      for (const raw of raws) folder.deliver(raw, new Date().toISOString());
    },
    open: () => openMemoryGraph(folder, openSeam),
    protocol: graphTraits,
  });
});

const kinds: [string, MailServerKind][] = [
  ['over the mail server without installation', 'npm'],
  ['over Dovecot', 'debian'],
];

describe.each(kinds)('an inbox of Microsoft Graph %s', (_name, kind) => {
  const here = kind === 'npm' || mailServerKindHere() === 'debian';
  if (!here) console.warn('SKIPPED: the inbox of Microsoft Graph over Dovecot, which is not here.');
  describe.skipIf(!here)('of our own', () => {
    const mail = useGraphMail(kind);
    const addressOf = async (other: Partial<InboxAddress> = {}): Promise<InboxAddress> => ({
      host: 'localhost',
      port: mail.graph().port,
      folder: 'INBOX',
      user: support,
      owner: support,
      accessToken: new Secret(await mail.token(support)),
      ...other,
    });

    describeInbox({
      async fill(raws) {
        await mail.empty(support);
        if (raws.length > 0) await mail.server().deliverMany(support, raws);
      },
      open: async () => openGraphInbox(await addressOf(), openSeam, locally),
      protocol: graphTraits,
    });

    const opened = async (other: Partial<InboxAddress> = {}, seam = openSeam): Promise<Inbox> => {
      const inbox = await openGraphInbox(await addressOf(other), seam, locally);
      onTestFinished(() => inbox.close());
      return inbox;
    };
    const failing = (other: Partial<InboxAddress>): Promise<unknown> =>
      opened(other).then(
        () => 'opened',
        (error: unknown) => error,
      );
    const bearer = async (upn: string, wishes: TokenWishes): Promise<Secret> =>
      new Secret(await mail.token(upn, wishes));
    const namesOf = async (inbox: Inbox, refs: readonly MessageRef[]): Promise<string[]> =>
      (await inbox.fetchMeta(refs)).map(({ messageId }) => messageId);
    const steady = { read: [], known: [], isComplete: true };

    test('a shared mailbox opens for a permitted person with Mail.ReadWrite.Shared, and for an app', async () => {
      await mail.empty(info);
      await mail.server().deliver(info, plainMail({ subject: 'shared' }));
      const shared = { user: info, owner: sam };
      const scoped = await bearer(sam, { scp: 'Mail.ReadWrite.Shared' });
      const inbox = await opened({ ...shared, accessToken: scoped });
      const { refs } = await inbox.list({});
      expect(await namesOf(inbox, refs)).toEqual(['<shared@customer.example>']);
      const app = await opened({
        user: info,
        owner: undefined,
        accessToken: await bearer('app', { roles: ['Mail.ReadWrite'] }),
      });
      await app.markSeen(refs);
      expect((await app.list({})).refs).toEqual([]);
    });

    test('fails as `no-access` without a permission for the mailbox, and as `refused` if it is only to be read', async () => {
      const noScope = await bearer(sam, { scp: 'Mail.ReadWrite' });
      const code = 'graph-no-access';
      expect(await failing({ user: info, owner: sam, accessToken: noScope })).toMatchObject({ code });
      expect(await failing({ user: 'nobody@contoso.example', owner: support })).toMatchObject({ code });
      await mail.empty(support);
      await mail.server().deliver(support, plainMail({ subject: 'read only' }));
      const inbox = await opened({ accessToken: await bearer(support, { scp: 'Mail.Read' }) });
      const { refs } = await inbox.list({});
      for (const change of [inbox.markSeen(refs), inbox.remove(refs), inbox.move(refs, 'Archive')])
        await expect(change).rejects.toMatchObject({ code: 'graph-refused', failure: 'refused' });
    });

    test('fails as `token-refused` with an invalid token, and does not show it', async () => {
      const error = await failing({ accessToken: new Secret('not-a-token-at-all') });
      expect(error).toMatchObject({ code: 'graph-token-refused', failure: 'token-refused' });
      expect(String(error)).not.toContain('not-a-token-at-all');
    });

    test('opens a folder by its path in any case, and fails as `folder-missing` without it', async () => {
      const token = await mail.token(support);
      const made = await mail.ask(token, 'me/mailFolders', {
        method: 'POST',
        body: { displayName: 'Sales' },
      });
      const below = `me/mailFolders/${String(made.body['id'])}/childFolders`;
      await mail.ask(token, below, { method: 'POST', body: { displayName: 'Done' } });
      expect((await opened({ folder: 'sales/DONE' })).total).toBe(0);
      expect(await failing({ folder: 'Sales/Elsewhere' })).toMatchObject({ failure: 'folder-missing' });
      await mail.empty(support);
      await mail.server().deliver(support, plainMail({ subject: 'to be moved' }));
      const inbox = await opened();
      const { refs } = await inbox.list({});
      await expect(inbox.move(refs, 'Sales/Elsewhere')).rejects.toMatchObject({
        code: 'graph-refused',
        message: 'Microsoft Graph did not move stored email: there is no folder “Sales/Elsewhere”.',
      });
      await inbox.move(refs, 'Sales/Done');
      const there = await opened({ folder: 'Sales/Done' });
      expect(await there.all()).toEqual(refs);
    });

    test('finds what a person moves here and reads before the next listing', async () => {
      await mail.empty(support);
      const junk = await opened({ folder: 'Junk Email' });
      const week = new Date(Date.now() - 7 * 24 * 3_600_000);
      await mail.mailbox(support).add('Junk Email', plainMail({ subject: 'no junk' }), {
        receivedAt: week,
        isSeen: false,
      });
      const inbox = await opened();
      const { position } = await inbox.list({});
      const refs = await junk.all();
      await junk.move(refs, 'INBOX');
      await inbox.markSeen(refs);
      const later = await inbox.list({ position: position.toData(), unread: false });
      expect(later.refs, 'an immutable ID stays').toEqual(refs);
      const next = later.position.advance(steady).toData();
      expect((await inbox.list({ position: next, unread: false })).refs).toEqual([]);
    });

    test('starts over when the delta link has expired, with what came since the last email', async () => {
      await mail.empty(support);
      await mail.server().deliver(support, plainMail({ subject: 'known' }));
      const inbox = await opened();
      const { refs, position } = await inbox.list({});
      await inbox.markSeen(refs);
      mail.graph().makeMailTrouble({ action: 'expire-delta', mailbox: support });
      const since = new Date(Date.now() - 24 * 3_600_000).toISOString();
      const request = { unread: false, since } as const;
      const again = await inbox.list({ ...request, position: position.toData() });
      expect([again.isSetBack, again.refs]).toEqual([true, refs]);
      const next = await inbox.list({ ...request, position: again.position.toData() });
      expect([next.isSetBack, next.refs]).toEqual([false, []]);
    });

    test('makes every request through the seam, under its own name', async () => {
      await mail.empty(support);
      await mail.server().deliver(support, plainMail({ subject: 'x' }));
      const points: string[] = [];
      const inbox = await opened(
        {},
        {
          ...openSeam,
          call: (point, effect) => {
            points.push(point);
            return effect();
          },
        },
      );
      const { refs } = await inbox.list({});
      const [ref] = refs;
      if (ref === undefined) throw new Error('no email');
      await inbox.fetchMeta(refs);
      await inbox.fetchRaw(refs, () => {});
      await inbox.fetchHead(ref, 5);
      await inbox.markSeen(refs);
      await inbox.move(refs, 'Archive');
      await inbox.remove(refs);
      await inbox.junkFolder();
      expect(points).toEqual(
        ['folders', 'delta', 'search', 'source', 'part', 'mark', 'folders', 'move', 'delete', 'folders'].map(
          (name) => `graph.${name}`,
        ),
      );
    });
  });
});
