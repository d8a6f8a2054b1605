import { describe } from 'vitest';
import { mailServerKindHere } from '../../dev/peers/mail/mail-server.ts';
import { describeMailServer } from './mail-contract.ts';

const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');

describe.skipIf(absent)('Dovecot and Postfix', () => {
  describeMailServer('debian');
});
