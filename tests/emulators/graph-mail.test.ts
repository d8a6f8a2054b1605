import { describe } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import { describeGraphMail } from './graph-mail-contract.ts';

describe('Graph over the mail server without installation', () => describeGraphMail('npm'));

const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');
describe.skipIf(absent)('Graph over Dovecot', () => describeGraphMail('debian'));
