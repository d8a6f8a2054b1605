/** The script with which an Exchange admin lets the app use one mailbox over Microsoft Graph. */
import { expect, test } from 'vitest';
import { mailboxRoleScript } from '../../shared/accounts/mailbox-role-script.ts';

const access = {
  cloud: 'worldwide',
  tenant: 'contoso.example',
  clientId: '11111111-2222-4333-8444-555555555555',
  objectId: '99999999-2222-4333-8444-555555555555',
  address: "o'brien@contoso.example",
} as const;

test('grants the roles of the chosen ways for that mailbox only, and warns of tenant-wide consent', () => {
  const script = mailboxRoleScript(access, ['imap', 'graph', 'graph-send']);
  const scope = "'Postroom o''brien@contoso.example'";
  expect(script).toContain(
    `New-ManagementScope -Name ${scope} -RecipientRestrictionFilter 'PrimarySmtpAddress -eq ''o''''brien@contoso.example'''`,
  );
  for (const role of ['Application Mail.ReadWrite', 'Application Mail.Send'])
    expect(script).toContain(
      `New-ManagementRoleAssignment -App '${access.clientId}' -Role '${role}' -CustomResourceScope ${scope}`,
    );
  expect(script).not.toContain('ReadBasic');
  expect(script).toContain('must not also have tenant-wide consent for Mail.ReadWrite, Mail.Send:');
  expect(script.trimEnd().split('\n').at(-1)).toBe(
    `Test-ServicePrincipalAuthorization -Identity '${access.clientId}' -Resource 'o''brien@contoso.example'`,
  );
});

test('connects to the cloud of the tenant, and shows where the object ID is missing', () => {
  const script = mailboxRoleScript({ ...access, cloud: 'china', objectId: undefined }, ['graph']);
  expect(script).toContain('-ExchangeEnvironmentName O365China\n');
  expect(script).toContain("-ObjectId 'OBJECT-ID-OF-THE-ENTERPRISE-APPLICATION'");
});
