/** Sending over Microsoft Graph from a shared mailbox: as an app, and as a delegate. */
import { beforeEach, describe, expect, test } from 'vitest';
import { info, sales } from '../harness/stack/mail-lab.ts';
import { emptied, received } from '../harness/stack/mail-under-test.ts';
import { large, MB, useGraphSending } from './graph-sending.ts';
import { letter, tokensOf } from './sending.ts';

const { mail, tokens, way, counts, emptyAll, emailsIn } = useGraphSending();
beforeEach(emptyAll);

describe('app-only access', () => {
  const asApp = async (...roles: string[]) => tokensOf(await mail.token('', { roles }));
  const from = { address: info, name: 'Contoso' };

  test.each([
    ['a small email', ['Mail.Send'], 10, '/sendMail'],
    ['a large email', ['Mail.Send', 'Mail.ReadWrite'], 5 * MB, '/send'],
  ])(
    'sends %s as the user of a shared mailbox, in whose Sent Items it is',
    async (subject, roles, bytes, end) => {
      const inbox = await emptied(mail.imapAs(sales));
      const out = await way(await asApp(...roles), undefined, info);
      expect(await out.deliver({ ...large(subject, bytes), from })).toMatchObject({ kind: 'accepted' });
      expect(await received(inbox, subject)).toContain(`<${info}>`);
      const paths = mail.graph().requests.map((one) => one.path);
      expect(paths.filter((path) => path.startsWith('/v1.0/me'))).toEqual([]);
      expect(paths.at(-1)?.startsWith(`/v1.0/users/${encodeURIComponent(info)}/`)).toBe(true);
      expect(paths.at(-1)?.endsWith(end)).toBe(true);
      expect(await emailsIn(info, 'Sent Items')).toHaveLength(1);
    },
  );

  test('is refused for every email without Mail.Send', async () => {
    const out = await way(await asApp('Mail.ReadWrite'), undefined, info);
    expect(await out.deliver({ ...letter(), from })).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: true,
      why: { code: 'graph-access-denied' },
    });
  });
});

test('a delegate sends a large email from a shared mailbox, in whose Sent Items it is', async () => {
  const shared = await tokens('Mail.ReadWrite.Shared Mail.Send.Shared');
  const email = { ...large('shared', 5 * MB), from: { address: info } };
  expect(await (await way(shared, undefined, info)).deliver(email)).toMatchObject({ kind: 'accepted' });
  expect(await emailsIn(info, 'Sent Items')).toHaveLength(1);
  expect(await counts()).toEqual({ arrived: 1, sent: 0, drafts: 0 });
});
