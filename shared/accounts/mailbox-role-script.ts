import type { Protocol } from '../providers/presets.ts';
import { protocolAccess } from '../providers/protocol-access.ts';
import { type AppAccess, OBJECT_ID_MISSING } from './app-access-script.ts';
import { connectExchange, quoted } from './exchange-shell.ts';

// Exchange limits the name of a management scope to 64 characters.
const SCOPE_NAME_CHARACTERS = 64;

/**
 * A script that an Exchange admin runs once to let this app use this one mailbox over Microsoft Graph and no
 * other (RBAC for Applications). Safe to repeat. Exchange adds what Entra has granted to what it grants
 * itself: with tenant-wide consent for the same permission, the app may open every mailbox. A role may take
 * up to two hours to have effect; `Test-ServicePrincipalAuthorization` does not wait for it.
 * https://learn.microsoft.com/exchange/permissions-exo/application-rbac
 * @param ways only `graph`, `graph-send` and `graph-push` have a role of their own
 */
export function mailboxRoleScript(
  { cloud, tenant, clientId, objectId, address }: AppAccess,
  ways: readonly Protocol[],
): string {
  const app = quoted(clientId);
  const scope = quoted(`Postroom ${address}`.slice(0, SCOPE_NAME_CHARACTERS));
  const filter = quoted(`PrimarySmtpAddress -eq '${address.replaceAll("'", "''")}'`);
  const granted = ways.map((way) => protocolAccess[way]).filter(({ resource }) => resource === 'graph');
  const roles = granted.flatMap(({ exchangeRole }) => exchangeRole ?? []);
  return `${[
    ...connectExchange({ cloud, tenant }),
    `# In Entra, the app must not also have tenant-wide consent for ${granted.map(({ role }) => role.name).join(', ')}:`,
    '# what Entra and Exchange grant adds up, and the app could open every mailbox.',
    `if (-not (Get-ServicePrincipal | Where-Object AppId -eq ${app})) {`,
    `  New-ServicePrincipal -AppId ${app} -ObjectId ${quoted(objectId ?? OBJECT_ID_MISSING)} -DisplayName 'Postroom'`,
    '}',
    '# This mailbox alone',
    `if (-not (Get-ManagementScope | Where-Object Name -eq ${scope})) {`,
    `  New-ManagementScope -Name ${scope} -RecipientRestrictionFilter ${filter}`,
    '}',
    ...roles.flatMap((role) => [
      `if (-not (Get-ManagementRoleAssignment -RoleAssignee ${app} -Role ${quoted(role)} -ErrorAction SilentlyContinue | Where-Object CustomResourceScope -eq ${scope})) {`,
      `  New-ManagementRoleAssignment -App ${app} -Role ${quoted(role)} -CustomResourceScope ${scope}`,
      '}',
    ]),
    '# What it may do now: InScope must be True',
    `Test-ServicePrincipalAuthorization -Identity ${app} -Resource ${quoted(address)}`,
  ].join('\n')}\n`;
}
