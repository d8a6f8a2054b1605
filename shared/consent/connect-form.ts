import { type Protocol, protocols, serverProtocols } from '../providers/presets.ts';
import type { ConnectRequest } from './consent.ts';

export type ConnectFormResult =
  | { kind: 'valid'; connectRequest: Omit<ConnectRequest, 'providerId' | 'reconnect'> }
  | { kind: 'invalid'; errors: Readonly<Record<string, string>> };

// One address as a person enters it: no display name, no quotes, no spaces.
const ADDRESS = /^[^\s@<>()[\]\\,;:"]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/i;

const ACCOUNT_ID = /^[a-z2-7]{26}$/;

export const isMailAddress = (text: string): boolean => text.length <= 254 && ADDRESS.test(text);

const reading: readonly Protocol[] = ['imap', 'pop3', 'graph'];

/**
 * Validates the connect form. Pure.
 * @param usual the protocols of a form that chooses none: those of the provider (`waysOf`)
 */
export function parseConnectForm(
  typed: Readonly<Record<string, string>>,
  usual: readonly Protocol[] = serverProtocols,
): ConnectFormResult {
  const errors: Record<string, string> = {};
  const address = (typed['address'] ?? '').trim();
  if (!isMailAddress(address))
    errors['address'] = 'Enter the address of the mailbox, for example support@example.org.';
  const shared = typed['who'] === 'shared';
  const signIn = shared ? (typed['signIn'] ?? '').trim() : address;
  if (shared && (signIn === '' || signIn.length > 254 || /\s/.test(signIn)))
    errors['signIn'] = 'Enter the user who signs in for this shared mailbox, for example sam@example.org.';
  const wanted: readonly Protocol[] = protocols.filter((protocol) => typed[protocol] === 'on');
  // The checkboxes are under "advanced"; a form without them means the usual ones.
  const chosen = typed['advanced'] === 'yes' ? wanted : usual;
  if (!reading.some((protocol) => chosen.includes(protocol)))
    errors['imap'] = 'Choose IMAP, POP or Microsoft Graph: at least one is needed to read email.';
  if (Object.keys(errors).length > 0) return { kind: 'invalid', errors };
  return {
    kind: 'valid',
    connectRequest: {
      address,
      signIn,
      shared,
      chooseAccount: typed['choose'] === 'on',
      protocols: chosen,
      replacement: replacementOf(typed['replacement'] ?? ''),
      confirmed: confirmedIn(typed),
    },
  };
}

/** The account that a person confirmed on the page that showed its subject. */
export const confirmedIn = ({ confirmed = '' }: Readonly<Record<string, string>>): string | undefined =>
  ACCOUNT_ID.test(confirmed) ? confirmed : undefined;

/**
 * The ID of an account, as offered by the page that shows both accounts; `any` (or a checked box) allows
 * every account.
 */
function replacementOf(typed: string): ConnectRequest['replacement'] {
  if (typed === 'any' || typed === 'on') return { kind: 'any' };
  return ACCOUNT_ID.test(typed) ? { kind: 'this', accountId: typed } : undefined;
}
