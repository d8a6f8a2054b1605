/** Steps shared by many errors, so that the same step always has the same wording. */

export const signInAgain =
  'In Postroom, open the mailbox and choose “Sign in again”. Sign in as the owner of the mailbox, best in a private browser window.';
export const startAgain = 'In Postroom, start the sign-in again from the page of the provider.';
export const copyRedirectUri = 'Copy the redirect URI of Postroom: {redirectUri}';
export const addToWeb =
  'Open the app registration, Authentication, “Add a platform” (or the list there), Web, and add that URI exactly as it is. Save.';
export const waitMinutes = 'Wait up to five minutes, then start the sign-in again.';
export const copyTenant =
  'Open the app registration, Overview, and copy the “Directory (tenant) ID”, a GUID.';
export const putIntoProvider = 'Put it into the provider in Postroom, save, and test the provider.';
export const newSecret =
  'Open the app registration, “Certificates & secrets”, “New client secret”, and copy its Value at once. It is shown only now; the Secret ID beside it, a GUID, is not it.';
export const replaceSecret =
  'In Postroom, open the provider, replace the secret with the Value and enter its expiry date. Nobody needs to sign in again.';
export const resetScopes = 'In Postroom, open the provider and set its scopes back to the preset.';
export const resetEndpoints = 'In Postroom, open the provider and set its endpoints back to the preset.';
export const grantConsent =
  'Let an admin of the tenant open the app registration, “API permissions”, and press “Grant admin consent”. The Status column must then be green.';
export const addPermissions =
  'Open the app registration, “API permissions”, Microsoft Graph, Delegated, and add IMAP.AccessAsUser.All, POP.AccessAsUser.All, SMTP.Send, offline_access, openid, profile and email.';
export const findInLogs =
  'Open the sign-in logs, search for {correlationId}, and read the failure reason and the tab “Conditional Access”.';
export const nothingToDo = 'There is nothing to do: Postroom retries automatically.';
export const lookAtHealth = 'If it lasts longer than an hour, check the service health of Microsoft 365.';
export const report =
  'Report it to the people who look after Postroom, with the code, the correlation ID and the time.';
export const findInAppLog = 'Open the log of the function app, and search for this code.';
export const reportCode =
  'Report it to the people who look after Postroom, with this code and the line of the log.';
export const giveVaultRole =
  'Give the managed identity of Postroom its role on the vault again: open the key vault, “Access control (IAM)”, and choose Key Vault Secrets Officer.';
export const waitForRole = 'A new role takes effect within ten minutes. Then Postroom resumes automatically.';
export const letIntoVault =
  'Connect the function app with a virtual network, and give the key vault a private endpoint or a rule for that network. Functions do not count as a trusted service.';
export const imapOn =
  'Let an Exchange admin check that IMAP is switched on: Set-CASMailbox -Identity {mailbox} -ImapEnabled $true';
export const popOn =
  'Let an Exchange admin check that POP is switched on: Set-CASMailbox -Identity {mailbox} -PopEnabled $true';
export const graphInstead =
  'Microsoft 365: where IMAP and POP have to stay switched off, test the connection of the mailbox and choose “Read over Microsoft Graph instead”, which needs neither.';
export const graphSendInstead =
  'Or, where it has to stay off: in Postroom, test the connection of the mailbox and choose “Send over Microsoft Graph instead”.';
export const smtpOn =
  'Let an Exchange admin switch it on for this mailbox: Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false (or Users, Active users, the mailbox, Mail, “Manage email apps”, “Authenticated SMTP”).';
export const waitAnHour = 'Changes at Exchange take up to an hour. Then test the mailbox again.';
export const useOauth =
  'In Postroom, open the mailbox and choose a provider and an account for it, instead of a password.';
export const sendAs =
  'Or let an Exchange admin grant the permission: Add-RecipientPermission -Identity {mailbox} -Trustee USER-WHO-SIGNS-IN -AccessRights SendAs';

export const testConnection =
  'In Postroom, open the mailbox and test its connection: the transcript shows what the server said.';
