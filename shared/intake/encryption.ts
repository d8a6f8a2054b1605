import type { Encryption } from '../tickets/ticket.ts';
import { fieldOf, isContainer, type MimePart } from './mime-parts.ts';
import { isEncryptedSmime, type OpenedMail } from './open-parts.ts';

/** How an email is encrypted, by its parts or by the armour in its text (RFC 9580 §6.2); undefined when it is not. */
export function encryptionOf(mail: OpenedMail, text: string): Encryption | undefined {
  if (mail.parts.some(isPgp) || /^-----BEGIN PGP MESSAGE-----\s*$/m.test(text)) return 'pgp';
  if (mail.parts.some(isRightsProtected)) return 'rights';
  return mail.parts.some((part) => !isContainer(part) && isEncryptedSmime(mail, part)) ? 'smime' : undefined;
}

/** The container, or what a gateway left of it (RFC 3156 §4). */
function isPgp(part: MimePart): boolean {
  if (part.type === 'application/pgp-encrypted') return true;
  return part.type === 'multipart/encrypted' && /pgp-encrypted/i.test(fieldOf(part, 'content-type'));
}

/** https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxorms */
const isRightsProtected = (part: MimePart): boolean => part.type === 'application/x-microsoft-rpmsg-message';
