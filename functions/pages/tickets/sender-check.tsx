import type { JSX } from 'hono/jsx/jsx-runtime';
import type { SenderAuthentication } from '../../../shared/tickets/ticket.ts';
import { StatusLabel } from '../../../shared/ui/lists.tsx';

interface Checked {
  from: { address: string | undefined };
  authentication?: SenderAuthentication | undefined;
}

/** The receiving mail server's verdict on the sender; renders nothing when the verdict is uncertain. */
export function SenderWarning({ message }: { message: Checked }): JSX.Element | null {
  const { authentication } = message;
  if (authentication === undefined) return null;
  if (authentication.fails)
    return (
      <p class="sender-check">
        <StatusLabel kind="bad">Sender not confirmed</StatusLabel> The mail server could not confirm that this
        message comes from {message.from.address ?? 'its sender'}. It may be forged: confirm with the sender
        in another way before you act on it.
      </p>
    );
  if (authentication.dmarc !== 'pass') return null;
  return (
    <p class="sender-check">
      <StatusLabel kind="good">Sender confirmed</StatusLabel>
    </p>
  );
}

/** The single results, for the details of a message. */
export function senderFacts({ authentication }: Checked): { term: string; detail: string }[] {
  if (authentication === undefined)
    return [{ term: 'Sender check', detail: 'No result from the mail server' }];
  const { spf, dkim, dmarc } = authentication;
  const said = Object.entries({ SPF: spf, DKIM: dkim, DMARC: dmarc })
    .map(([name, result]) => `${name} ${result ?? 'not checked'}`)
    .join(', ');
  return [{ term: 'Sender check', detail: said }];
}
