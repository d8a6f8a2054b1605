import { paths } from '../paths/paths.ts';
import type { Mailbox } from './mailbox.ts';

/** A link of ours to what ends a trouble. */
export interface Remedy {
  label: string;
  href: string;
}

/** True for what the mail server said after a sign-in that was good. */
const isOfMailServer = (code: string): boolean => /^(?:imap|pop3)-/.test(code);

/**
 * Where the trouble of a mailbox is ended, by its code: alerts and pages say the same. Undefined where it is no matter of
 * the mail server: then somebody has to sign in again. Pure.
 */
export function remedyOf({ id, address }: Pick<Mailbox, 'id' | 'address'>, code: string): Remedy | undefined {
  if (!isOfMailServer(code)) return undefined;
  if (code === 'imap-refused' || code === 'imap-target-missing')
    return remedyOfRefusal({ id, address }, code);
  return code.endsWith('folder-missing')
    ? { label: `Correct the folder of ${address}`, href: paths.editMailbox({ id }) }
    : { label: `Test the connection of ${address}`, href: paths.connectionTest({ id }) };
}

/** Reading works, and what is asked of stored email does not: that is a setting of the mailbox. Pure. */
export function remedyOfRefusal({ id, address }: Pick<Mailbox, 'id' | 'address'>, code: string): Remedy {
  const label =
    code === 'imap-target-missing'
      ? `Correct the folder for stored email of ${address}`
      : `Change what happens to stored email of ${address}`;
  return { label, href: paths.editMailbox({ id }) };
}
