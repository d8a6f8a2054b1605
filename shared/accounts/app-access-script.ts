import type { CloudName } from '../providers/clouds.ts';
import { connectExchange, quoted } from './exchange-shell.ts';

export interface AppAccess {
  cloud: CloudName;
  /** ID or domain. */
  tenant: string | undefined;
  clientId: string;
  /** Of the enterprise application; undefined when unknown. */
  objectId: string | undefined;
  /** Address of the mailbox. */
  address: string;
}

/** Placeholder in the script for a value to fill in. */
export const OBJECT_ID_MISSING = 'OBJECT-ID-OF-THE-ENTERPRISE-APPLICATION';

/**
 * A script that an Exchange admin runs once to let this app open this one mailbox and no other. The service
 * principal needs the object ID of the enterprise application. With that of the app registration, which
 * looks the same, Exchange refuses every sign-in without a reason.
 * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 */
export function appAccessScript({ cloud, tenant, clientId, objectId, address }: AppAccess): string {
  const app = quoted(clientId);
  return `${[
    ...connectExchange({ cloud, tenant }),
    `if (-not (Get-ServicePrincipal | Where-Object AppId -eq ${app})) {`,
    `  New-ServicePrincipal -AppId ${app} -ObjectId ${quoted(objectId ?? OBJECT_ID_MISSING)} -DisplayName 'Postroom'`,
    '}',
    `$app = Get-ServicePrincipal | Where-Object AppId -eq ${app}`,
    `Add-MailboxPermission -Identity ${quoted(address)} -User $app.Identity -AccessRights FullAccess`,
    `Add-RecipientPermission -Identity ${quoted(address)} -Trustee $app.Identity -AccessRights SendAs -Confirm:$false`,
  ].join('\n')}\n`;
}
