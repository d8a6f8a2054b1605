/** Microsoft Graph as a protocol to fetch email. */
import { describe } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { openGraphInbox } from '../../shared/mailboxes/graph-inbox.ts';
import type { InboxAddress } from '../../shared/mailboxes/inbox.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { openMemoryGraph } from '../harness/memory/memory-graph.ts';
import { MemoryFolder } from '../harness/memory/memory-inbox.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { support } from '../harness/stack/mail-lab.ts';
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
  });
});
