import type { CloudName } from '../providers/clouds.ts';
import { connectExchange, quoted } from './exchange-shell.ts';

export interface AppAccess {
  cloud: CloudName;
  /** Id or domain. */
  tenant: string | undefined;
  clientId: string;
  /** Of the enterprise application; undefined while nobody knows it. */
  objectId: string | undefined;
  /** Address of the mailbox. */
  address: string;
}

/** Stands in the script where a value is to be filled in. */
export const OBJECT_ID_MISSING = 'OBJECT-ID-OF-THE-ENTERPRISE-APPLICATION';

/**
 * What an Exchange admin runs once, so that this app may open this one mailbox and no other. The service principal is
 * made from the object id of the enterprise application: with that of the app registration, which looks the same,
 * Exchange refuses every sign-in without a word why.
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
