/** What servers and libraries wrote, as it stood in transcripts and logs; not made from the catalogue's patterns. */
import type { Retry } from '../../shared/explanations/explanation.ts';

export type ServerLine = readonly [code: string, retry: Retry, text: string];

const fix: Retry = 'after-fix';
const sign: Retry = 'sign-in-again';
const wait: Retry = 'by-itself';

const exchange = '[AM0PR06CA0042.eurprd06.prod.outlook.com 2026-11-24T01:42:11.337Z 08DE2A0B6F1C77E2]';

export const serverLines: readonly ServerLine[] = [
  ['imap-signed-in', wait, 'A1 AUTHENTICATE XOAUTH2 (hidden)\r\nA1 OK AUTHENTICATE completed.\r\n'],
  ['imap-token-refused', sign, 'A1 NO AUTHENTICATE failed.'],
  [
    'imap-token-refused',
    sign,
    JSON.stringify({
      message: 'Command failed',
      responseStatus: 'NO',
      responseText: 'AUTHENTICATE failed.',
      authenticationFailed: true,
      executedCommand: '2 AUTHENTICATE XOAUTH2 "(* value hidden *)"',
    }),
  ],
  [
    'imap-token-refused',
    sign,
    JSON.stringify({
      message: 'Command failed',
      responseStatus: 'NO',
      responseText: 'Authentication failed.',
      serverResponseCode: 'AUTHENTICATIONFAILED',
      authenticationFailed: true,
      oauthError: { status: '401', schemes: 'bearer', scope: 'mail' },
    }),
  ],
  ['imap-token-refused', sign, 'imap-token-refused: The mail server said: AUTHENTICATE failed.'],
  [
    'imap-no-access',
    fix,
    'A1 OK AUTHENTICATE completed.\r\nA2 SELECT INBOX\r\nA2 BAD User is authenticated but not connected.\r\n* BYE Connection closed. 14',
  ],
  [
    'imap-no-access',
    fix,
    JSON.stringify({
      name: 'AuthenticationFailure',
      message: 'Authentication failed',
      response: 'User is authenticated but not connected.',
    }),
  ],
  ['imap-no-access', fix, 'A7 BAD User is authenticated\r\n> but not connected.'],
  ['imap-token-expired', wait, 'A44 BAD Session invalidated - AccessTokenExpired'],
  ['imap-token-expired', wait, '* BYE Session invalidated - AccessTokenExpired'],
  [
    'imap-throttled',
    wait,
    'A12 BAD Request is throttled. Suggested Backoff Time: 120000 milliseconds\r\n* BYE Connection closed. 14',
  ],
  [
    'imap-throttled',
    wait,
    '{"code":"ETHROTTLE","throttleReset":1500,"throttleWaited":1500,"message":"Command failed"}',
  ],
  ['imap-unavailable', wait, 'A3 NO Server Unavailable. 15\r\n* BYE Connection closed.'],
  ['imap-command-error', wait, 'A9 BAD Command Error. 12'],
  ['imap-closed', wait, '* BYE Connection closed. 14'],
  [
    'imap-closed',
    wait,
    '{"code":"NoConnection","rejectedFrom":"pendingRequest","command":"FETCH","reason":"Connection closed. 14"}',
  ],
  ['imap-closed', wait, '* BYE Server shutting down'],
  ['imap-too-many-connections-gmail', wait, '* NO [ALERT] Too many simultaneous connections. (Failure)'],
  [
    'imap-too-many-connections',
    wait,
    'A2 NO [AUTHENTICATIONFAILED] Too many concurrent connections from your IP address',
  ],
  ['imap-temporary', wait, '3 NO [UNAVAILABLE] Temporary authentication failure. [host:2026-11-24 01:42:11]'],
  [
    'imap-temporary',
    wait,
    JSON.stringify({
      responseStatus: 'NO',
      serverResponseCode: 'UNAVAILABLE',
      responseText: 'Temporary authentication failure.',
      authenticationFailed: true,
    }),
  ],
  ['imap-temporary', wait, 'A5 NO [INUSE] Mailbox is locked by another session'],
  ['imap-temporary', wait, 'A6 NO [LIMIT] Session limit exceeded'],
  ['imap-password-refused', sign, 'a001 NO LOGIN failed.'],
  ['imap-folder-missing', fix, 'A3 NO [NONEXISTENT] Unknown Mailbox: Support (Failure)'],
  ['imap-folder-missing', fix, 'A3 NO Support doesn’t exist.'],
  ['imap-folder-missing', fix, "A3 NO Mailbox doesn't exist: Support (0.001 + 0.000 secs)."],
  ['imap-folder-missing', fix, '{"responseStatus":"NO","mailboxMissing":true,"message":"Command failed"}'],
  ['imap-mailbox-full', fix, 'A8 NO [OVERQUOTA] Not enough space left in the mailbox'],
  ['pop3-signed-in', wait, '+OK User successfully authenticated.'],
  ['pop3-token-refused', sign, '-ERR Authentication failure: unknown user name or bad password.'],
  [
    'pop3-token-refused',
    sign,
    '{"name":"Pop3Error","code":"EAUTH","response":"Authentication failure: unknown user name or bad password.","responseCode":"AUTH"}',
  ],
  ['pop3-logon-failure', wait, '-ERR Logon failure: unknown user name or bad password.'],
  ['pop3-wrong-state', fix, '-ERR Command is not valid in this state.'],
  ['pop3-closed', wait, '-ERR Protocol error. 14'],
  ['pop3-closed', wait, '-ERR Connection is closed. 15'],
  ['pop3-in-use', wait, '-ERR [IN-USE] Do you have another POP session running?'],
  ['pop3-in-use', wait, '-ERR maildrop already locked'],
  ['smtp-signed-in', wait, '235 2.7.0 Authentication successful'],
  ['smtp-token-refused', sign, `535 5.7.3 Authentication unsuccessful ${exchange}`],
  [
    'smtp-token-refused',
    sign,
    JSON.stringify({
      code: 'EAUTH',
      responseCode: 535,
      permanent: true,
      command: 'AUTH XOAUTH2',
      response: `535 5.7.3 Authentication unsuccessful ${exchange}`,
    }),
  ],
  [
    'smtp-token-refused',
    sign,
    'Error: Invalid login: 535 5.7.8 Error: authentication failed: (reason unavailable)',
  ],
  [
    'smtp-auth-disabled-tenant',
    fix,
    `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. ${exchange}`,
  ],
  [
    'smtp-auth-disabled-tenant',
    fix,
    `Error: Invalid login: 535 5.7.139 Authentication unsuccessful,\n  SmtpClientAuthentication is disabled for the\n  Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. ${exchange}`,
  ],
  [
    'smtp-auth-disabled-mailbox',
    fix,
    `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more information. ${exchange}`,
  ],
  [
    'smtp-security-defaults',
    fix,
    `535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. ${exchange}`,
  ],
  [
    'smtp-basic-disabled',
    sign,
    `535 5.7.139 Authentication unsuccessful, basic authentication is disabled. ${exchange}`,
  ],
  [
    'smtp-criteria',
    fix,
    `535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator. ${exchange}`,
  ],
  [
    'smtp-credentials',
    sign,
    `535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. ${exchange}`,
  ],
  ['smtp-basic-retired', sign, '550 5.7.30 Basic authentication is not supported for Client Submission.'],
  ['smtp-not-authenticated', fix, `530 5.7.57 Client not authenticated to send mail. ${exchange}`],
  ['smtp-unrecognised-authentication', fix, `504 5.7.4 Unrecognized authentication type ${exchange}`],
  ['smtp-temporary-authentication', wait, '454 4.7.0 Temporary authentication failure'],
  ['smtp-send-as-refused', fix, '550 5.7.60 SMTP; Client does not have permissions to send as this sender'],
  ['smtp-send-as-refused', fix, '554 5.7.60 SMTP; Client does not have permissions to send as this sender'],
  [
    'smtp-send-as-denied',
    fix,
    '554 5.2.252 SendAsDenied; help@contoso.com not allowed to send as sales@contoso.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception',
  ],
  [
    'smtp-send-as-denied',
    fix,
    '554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message.',
  ],
  ['smtp-thread-limit', wait, `432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded; ${exchange}`],
  [
    'smtp-concurrent-connections',
    wait,
    `432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. ${exchange}`,
  ],
  ['smtp-rate', wait, '421 4.4.2 Message submission rate for this client has exceeded the configured limit'],
  [
    'smtp-recipient-quota',
    wait,
    '554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a permanent exception with message The message can’t be submitted because the sender’s submission quota was exceeded.',
  ],
  [
    'smtp-mailbox-full',
    fix,
    '554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded',
  ],
  [
    'smtp-old-tls',
    fix,
    '421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit https://aka.ms/smtp_auth_tls.',
  ],
  ['smtp-temporary', wait, '451 4.7.0 Temporary server error. Please try again later. PRX4'],
  ['smtp-service-unavailable', wait, '421 4.3.2 Service not available'],
  ['smtp-service-unavailable', wait, '421 4.3.2 Service not active'],
  ['smtp-busy', wait, '452 4.3.1 Insufficient system resources'],
  ['smtp-too-many-recipients', fix, '452 4.5.3 Too many recipients'],
  ['smtp-too-large', fix, '552 5.3.4 Message size exceeds fixed maximum message size'],
  ['smtp-restricted', fix, '550 5.1.8 Access denied, bad outbound sender AS(42004)'],
  ['smtp-tenant-restricted', fix, '550 5.7.705 Access denied, tenant has exceeded threshold.'],
  [
    'smtp-tenant-restricted',
    fix,
    '550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains.',
  ],
  [
    'smtp-tenant-restricted',
    fix,
    '550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.',
  ],
  [
    'smtp-recipient-unknown',
    fix,
    '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient nobody@contoso.com not found by SMTP address lookup',
  ],
  [
    'smtp-recipient-unknown',
    fix,
    '{"code":"EENVELOPE","responseCode":550,"command":"RCPT TO","response":"550 5.1.1 <nobody@contoso.com>: Recipient address rejected: User unknown","rejected":["nobody@contoso.com"]}',
  ],
  ['smtp-recipient-unknown', fix, '501 5.1.3 Invalid address'],
  [
    'graph-access-denied',
    sign,
    '{"error":{"code":"ErrorAccessDenied","message":"Access is denied. Check credentials and try again.","innerError":{"date":"2026-11-24T01:42:11","request-id":"61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200"}}}',
  ],
  [
    'graph-send-as-denied',
    fix,
    '{"error":{"code":"ErrorSendAsDenied","message":"The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account."}}',
  ],
  [
    'graph-no-mailbox',
    fix,
    '{"error":{"code":"MailboxNotEnabledForRESTAPI","message":"The mailbox is either inactive, soft-deleted, or is hosted on-premise."}}',
  ],
  [
    'graph-throttled',
    wait,
    '{"error":{"code":"ApplicationThrottled","message":"Application is over its MailboxConcurrency limit."}}',
  ],
  [
    'graph-token',
    wait,
    '{"error":{"code":"InvalidAuthenticationToken","message":"Access token has expired or is not yet valid."}}',
  ],
  [
    'key-vault-role-missing',
    fix,
    '{"error":{"code":"Forbidden","message":"Caller is not authorized to perform action on resource.\\r\\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\\r\\nCaller: appid=2f6c1a8e-53b0-4c47-9d1e-0b7a64e5c9d3;oid=5e9b6f4c-0a64-4bb2-9a66-2f1f7b2c9f10\\r\\nAction: \'Microsoft.KeyVault/vaults/secrets/getSecret/action\'","innererror":{"code":"ForbiddenByRbac"}}}',
  ],
  [
    'key-vault-firewall',
    fix,
    '{"error":{"code":"Forbidden","message":"Client address is not authorized and caller is not a trusted service.\\r\\nClient address: 20.82.1.7\\r\\nVault: kv-postroom;location=westeurope","innererror":{"code":"ForbiddenByFirewall"}}}',
  ],
  [
    'key-vault-private-only',
    fix,
    '{"error":{"code":"Forbidden","message":"Public network access is disabled and request is not from a trusted service nor via an approved private link.\\r\\nCaller: appid=2f6c1a8e-53b0-4c47-9d1e-0b7a64e5c9d3","innererror":{"code":"ForbiddenByConnection"}}}',
  ],
  [
    'key-vault-throttled',
    wait,
    '{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"}}',
  ],
  [
    'key-vault-throttled',
    wait,
    'GET https://kv-postroom.vault.azure.net/secrets/client-secret answered with status 429',
  ],
  [
    'key-vault-secret-missing',
    fix,
    '{"error":{"code":"SecretNotFound","message":"A secret with (name/id) client-secret-7 was not found in this key vault."}}',
  ],
  [
    'key-vault-deleted',
    fix,
    '{"error":{"code":"Conflict","message":"Secret client-secret-7 is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.","innererror":{"code":"ObjectIsDeletedButRecoverable"}}}',
  ],
  ['key-vault-deleted', fix, "VaultAlreadyExists: The vault name 'kv-postroom' is already in use."],
  [
    'key-vault-conflict',
    wait,
    '{"error":{"code":"ConflictError","message":"There was a conflict setting the secret client-secret-7."}}',
  ],
  [
    'key-vault-tenant',
    fix,
    '{"error":{"code":"Unauthorized","message":"AKV10032: Invalid issuer. Expected one of https://sts.windows.net/c0ffee12-3456-4789-8abc-def012345678/, found https://sts.windows.net/11111111-2222-4333-8444-555555555555/."}}',
  ],
  ['key-vault-refused', fix, 'Key Vault did not get client-secret-7 (status 403)'],
  [
    'storage-role-missing',
    fix,
    '<?xml version="1.0" encoding="utf-8"?><m:error><m:code>AuthorizationPermissionMismatch</m:code><m:message xml:lang="en-US">This request is not authorized to perform this operation using this permission.\nRequestId:61c5e8c1-3d3f-4d35-8b1a-0f0ffd0f0200</m:message></m:error>',
  ],
  [
    'storage-keys-off',
    fix,
    '{"odata.error":{"code":"KeyBasedAuthenticationNotPermitted","message":{"lang":"en-US","value":"Key based authentication is not permitted on this storage account."}}}',
  ],
  [
    'managed-identity-missing',
    fix,
    'CredentialUnavailableError: ManagedIdentityCredential: Authentication failed. Message no managed identity endpoint found',
  ],
  [
    'network-sign-in',
    wait,
    'TypeError: fetch failed\n  cause: Error: getaddrinfo ENOTFOUND login.microsoftonline.com',
  ],
  [
    'network-sign-in',
    wait,
    'POST https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token: connect ETIMEDOUT 20.190.160.14:443',
  ],
  ['network-mail', wait, 'Error: connect ECONNREFUSED 52.97.1.2:993'],
  [
    'network-mail',
    wait,
    '{"code":"ESOCKET","originalCode":"ENOTFOUND","message":"getaddrinfo ENOTFOUND smtp.ofice365.com","command":"CONN"}',
  ],
  [
    'tls-certificate',
    fix,
    '{"code":"ETLS","originalCode":"CERT_HAS_EXPIRED","message":"certificate has expired"}',
  ],
  ['tls-certificate', fix, 'Error: unable to verify the first certificate, UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [
    'tls-wrong-port',
    fix,
    '{"code":"ERR_SSL_WRONG_VERSION_NUMBER","message":"write EPROTO 80:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number"}',
  ],
  ['http-429', wait, 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17'],
  [
    'http-5xx',
    wait,
    '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>',
  ],
  ['http-5xx', wait, 'login.microsoftonline.com answered with status 503.'],
];
