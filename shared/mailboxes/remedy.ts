import { paths } from '../paths/paths.ts';
import type { Mailbox } from './mailbox.ts';

/** A link to one of our pages that fixes a problem. */
export interface Remedy {
  label: string;
  href: string;
}

/** True for a mail server's error after a successful sign-in. */
const isOfMailServer = (code: string): boolean => /^(?:imap|pop3|graph)-/.test(code);

/**
 * The fix for a mailbox's problem, by its code, for alerts and pages. Undefined when the mail server is not
 * the cause: then someone has to sign in again. Pure.
 */
export function remedyOf({ id, address }: Pick<Mailbox, 'id' | 'address'>, code: string): Remedy | undefined {
  if (!isOfMailServer(code)) return undefined;
  if (/^(?:imap|graph)-(?:refused|target-missing)$/.test(code)) return remedyOfRefusal({ id, address }, code);
  return code.endsWith('folder-missing')
    ? { label: `Correct the folder of ${address}`, href: paths.editMailbox({ id }) }
    : { label: `Test the connection of ${address}`, href: paths.connectionTest({ id }) };
}

/** Reading works, but the action on stored email fails: this is a setting of the mailbox. Pure. */
export function remedyOfRefusal({ id, address }: Pick<Mailbox, 'id' | 'address'>, code: string): Remedy {
  const label = code.endsWith('-target-missing')
    ? `Correct the folder for stored email of ${address}`
    : `Change what happens to stored email of ${address}`;
  return { label, href: paths.editMailbox({ id }) };
}
