import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../dev/emulators/mail/free-port.ts';
import { mailServerKindHere, startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import { makeMailLab, plainMail, support } from '../harness/stack/mail-lab.ts';
import { describeMailServer } from './mail-contract.ts';
import { kill, openInbox, startProcess } from './mail-process.ts';

const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');

describe.skipIf(absent)('Dovecot and Postfix', () => {
  describeMailServer('debian');

  test('are replaced after their parent was killed, with all email and on the same ports', async () => {
    const lab = await makeMailLab('debian');
    onTestFinished(() => lab.remove());
    const ports = {
      imap: await freePort(),
      pop3: await freePort(),
      smtp: await freePort(),
      drop: await freePort(),
    };
    const options = { ...lab.options, ports };
    const first = await startProcess({ ...lab, options });
    const client = await openInbox(lab, first.endpoints, support);
    await client.append('INBOX', plainMail({ subject: 'acknowledged' }), ['\\Seen']);
    await kill(first.child);

    const server = await startMailServer(options);
    onTestFinished(() => server.stop());
    const after = await openInbox(lab, server, support);
    expect(await after.search({ seen: true }, { uid: true })).toEqual([1]);
  });
});
