import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Encryption } from '../../../shared/tickets/ticket.ts';
import { StatusLabel } from '../../../shared/ui/lists.tsx';

/** Explains why the content can't be read, and what an agent can do. */
export function EncryptionNote({ encryption }: { encryption: Encryption }): JSX.Element {
  return (
    <p class="alert">
      <StatusLabel kind="warn">Encrypted</StatusLabel> {texts[encryption]}
    </p>
  );
}

const texts: Readonly<Record<Encryption, string>> = {
  pgp: "This email is encrypted with PGP. Postroom can't open it. Ask the sender to send it unencrypted, or download the original and open it in a mail program that has the recipient's key.",
  smime:
    "This email is encrypted with S/MIME. Postroom can't open it. Ask the sender to send it unencrypted, or download the original and open it in a mail program that has the recipient's certificate.",
  rights:
    "This email is protected with Microsoft Purview. Postroom can't open it. Ask the sender to send it without protection, or open it in the mailbox itself, with Outlook.",
};
