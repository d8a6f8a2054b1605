import type { Encryption } from '../tickets/ticket.ts';
import { fieldOf, isContainer, type MimePart } from './mime-parts.ts';
import { contentOf, isSmime, type OpenedMail } from './open-parts.ts';

/**
 * How an email is encrypted, according to its parts or the armor in its
 * text (RFC 9580 §6.2); undefined if it is not.
 */
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

/**
 * The object identifiers of CMS enveloped-data, encrypted-data and
 * authEnveloped-data (RFC 5652 §14, RFC 5083).
 */
const IDENTIFIERS = ['06092a864886f70d010703', '06092a864886f70d010706', '060b2a864886f70d0109100117'];
/** The identifier is at the start of the file. */
const IDENTIFIER_BYTES = 32;

function isEncryptedSmime({ bytes }: OpenedMail, part: MimePart): boolean {
  if (!isSmime(part)) return false;
  if (/smime-type="?(?:auth)?enveloped-data/i.test(fieldOf(part, 'content-type'))) return true;
  const beginning = contentOf(bytes, part, Math.min(part.end, part.bodyStart + 200)).subarray(
    0,
    IDENTIFIER_BYTES,
  );
  const head = Buffer.from(beginning).toString('hex');
  return IDENTIFIERS.some((identifier) => head.includes(identifier));
}
