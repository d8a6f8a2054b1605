/** Steps shared by many errors, so that the same step always has the same wording. */

export const signInAgain =
  'In Postroom, open the mailbox and choose “Sign in again”. Sign in as the mailbox owner, preferably in a private browser window.';
export const startAgain = 'In Postroom, start the sign-in again from the provider’s page.';
export const copyRedirectUri = 'Copy Postroom’s redirect URI: {redirectUri}';
export const addToWeb =
  'Open the app registration, Authentication, “Add a platform” (or the list there), Web, and add that URI exactly as shown. Save.';
export const waitMinutes = 'Wait up to five minutes, then start the sign-in again.';
export const copyTenant =
  'Open the app registration, Overview, and copy the “Directory (tenant) ID”, a GUID.';
export const putIntoProvider = 'Enter it in the provider in Postroom, save, and test the provider.';
export const newSecret =
  'Open the app registration, “Certificates & secrets”, “New client secret”, and copy its Value immediately. It is shown only once. Do not copy the Secret ID (a GUID) next to it.';
export const replaceSecret =
  'In Postroom, open the provider, replace the secret with the Value, and enter its expiry date. No one needs to sign in again.';
export const resetScopes = 'In Postroom, open the provider and reset its scopes to the preset.';
export const resetEndpoints = 'In Postroom, open the provider and reset its endpoints to the preset.';
export const grantConsent =
  'Have a tenant admin open the app registration, “API permissions”, and select “Grant admin consent”. The Status column must then be green.';
export const addPermissions =
  'Open the app registration, “API permissions”, Microsoft Graph, Delegated, and add IMAP.AccessAsUser.All, POP.AccessAsUser.All, SMTP.Send, offline_access, openid, profile and email.';
export const findInLogs =
  'Open the sign-in logs, search for {correlationId}, and check the failure reason and the “Conditional Access” tab.';
export const nothingToDo = 'No action needed: Postroom retries automatically.';
export const lookAtHealth = 'If it lasts longer than an hour, check the service health of Microsoft 365.';
export const report = 'Report it to whoever runs Postroom, with the code, the correlation ID and the time.';
export const findInAppLog = 'Open the function app’s log and search for this code.';
export const reportCode = 'Report it to whoever runs Postroom, with this code and the log line.';
export const giveVaultRole =
  'Give Postroom’s managed identity its role on the vault again: open the key vault, “Access control (IAM)”, and choose Key Vault Secrets Officer.';
export const waitForRole = 'A new role takes effect within ten minutes. Then Postroom resumes automatically.';
export const letIntoVault =
  'Connect the function app to a virtual network, and give the key vault a private endpoint or a rule for that network. Azure Functions is not a trusted service.';
export const imapOn =
  'Have an Exchange admin turn IMAP on: Set-CASMailbox -Identity {mailbox} -ImapEnabled $true';
export const popOn =
  'Have an Exchange admin turn POP on: Set-CASMailbox -Identity {mailbox} -PopEnabled $true';
export const graphInstead =
  'Microsoft 365: if IMAP and POP must stay off, test the mailbox’s connection and choose “Read over Microsoft Graph instead”, which needs neither.';
export const graphSendInstead =
  'Or, if it must stay off, test the mailbox’s connection in Postroom and choose “Send over Microsoft Graph instead”.';
export const smtpOn =
  'Have an Exchange admin turn it on for this mailbox: Set-CASMailbox -Identity {mailbox} -SmtpClientAuthenticationDisabled $false (or Users, Active users, the mailbox, Mail, “Manage email apps”, “Authenticated SMTP”).';
export const waitAnHour = 'Changes in Exchange can take up to an hour. Then test the mailbox again.';
export const useOauth =
  'In Postroom, open the mailbox and choose a provider and an account instead of a password.';
export const sendAs =
  'Or have an Exchange admin grant the permission: Add-RecipientPermission -Identity {mailbox} -Trustee USER-WHO-SIGNS-IN -AccessRights SendAs';

export const testConnection =
  'In Postroom, open the mailbox and test its connection. The transcript shows the server’s responses.';
