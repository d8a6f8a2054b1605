import type { Account } from '../../shared/accounts/account.ts';
import { type AppToken, appAccountId, saveAppAccount } from '../../shared/accounts/app-account.ts';
import type { AuditChange } from '../../shared/audit/audit.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import type { Services } from '../services.ts';

/**
 * Stores the app itself as an account, with a token that has just opened the mailbox. The audit entry is
 * written before the account.
 * @param connectRequest `mailbox`: a mailbox that is reconnected; it is fetched at the next minute
 * @throws PostroomError when the vault is unavailable: nothing is stored then
 */
export async function connectAsApp(
  services: Pick<Services, 'accessTokens' | 'accounts' | 'audit' | 'mailboxes' | 'sealer' | 'seam'>,
  provider: Provider,
  token: AppToken,
  connectRequest: { address: string; mailbox: Mailbox | undefined; by: AuditChange['principal'] },
): Promise<Account> {
  const { address, mailbox, by } = connectRequest;
  await services.sealer.ready();
  await services.audit.record({
    at: services.seam.now(),
    principal: by,
    action: 'connected with app-only access',
    subject: { kind: 'account', id: appAccountId(provider), name: provider.name },
    after: { mailbox: address, permissions: token.roles },
  });
  const account = await saveAppAccount(services, provider, token, { address, by: by.id });
  services.accessTokens.forget(account);
  if (mailbox !== undefined) await services.mailboxes.setFailure(mailbox.id, undefined);
  return account;
}
