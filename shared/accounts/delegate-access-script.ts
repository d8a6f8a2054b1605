import type { CloudName } from '../providers/clouds.ts';
import { connectExchange, quoted } from './exchange-shell.ts';

export interface DelegateAccess {
  cloud: CloudName;
  /** ID or domain. */
  tenant: string | undefined;
  /** Address of the shared mailbox. */
  address: string;
  /** The user who signs in for it. */
  user: string;
}

/**
 * A script that an Exchange admin runs once to let a user open a shared mailbox and send as it, over the
 * protocols that Postroom uses. Safe to repeat.
 * https://learn.microsoft.com/powershell/module/exchangepowershell/add-mailboxpermission
 */
export function delegateAccessScript({ cloud, tenant, address, user }: DelegateAccess): string {
  const [mailbox, person] = [quoted(address), quoted(user)];
  return `${[
    ...connectExchange({ cloud, tenant }),
    '# Open and read',
    `Add-MailboxPermission -Identity ${mailbox} -User ${person} -AccessRights FullAccess -AutoMapping $false`,
    '# Send in its name',
    `Add-RecipientPermission -Identity ${mailbox} -Trustee ${person} -AccessRights SendAs -Confirm:$false`,
    '# The protocols, for the mailbox and for the person',
    ...[mailbox, person].map(
      (who) => `Set-CASMailbox -Identity ${who} -ImapEnabled $true -SmtpClientAuthenticationDisabled $false`,
    ),
    '# What is set now',
    `Get-MailboxPermission -Identity ${mailbox} -User ${person}`,
    `Get-RecipientPermission -Identity ${mailbox} -Trustee ${person}`,
  ].join('\n')}\n`;
}
