/** App-only access: the app signs in itself, and Exchange gives it access to individual mailboxes. For admins. */
import {
  type AppToken,
  appAccountId,
  askAppToken,
  canSignInAsApp,
} from '../../../shared/accounts/app-account.ts';
import { type EndpointFailure, explainable } from '../../../shared/accounts/token-failure.ts';
import { withVault } from '../../../shared/accounts/vault-failure.ts';
import { isMailAddress } from '../../../shared/consent/connect-form.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { explainProblem } from '../../../shared/explanations/explain.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { promoteCredential } from '../../../shared/providers/promote-credential.ts';
import { isOfDemo, mailServersOf, type Provider } from '../../../shared/providers/provider.ts';
import { formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { connectAsApp } from '../../use-cases/connect-as-app.ts';
import { explainContext } from '../errors/explain-context.ts';
import { previewOf } from '../mailboxes/preview-mailbox.ts';
import { type AppAccessState, appAccessPage, noAppAccessPage } from './app-access-view.tsx';

export async function showAppAccess(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  if (!canSignInAsApp(provider)) return c.html(noAppAccessPage(c.get('principal'), provider), 409);
  const mailbox = await mailboxOf(c, provider, c.req.query('mailbox'));
  const typed = { address: mailbox?.address ?? c.req.query('address') ?? '', mailbox: mailbox?.id ?? '' };
  const { config } = c.get('services');
  return c.html(
    appAccessPage({
      principal: c.get('principal'),
      provider,
      typed,
      state: { kind: 'open' },
      demo: isOfDemo(config, provider),
    }),
  );
}

/** Requests a token and opens the mailbox with it. Nothing is saved unless the mailbox opens. */
export async function checkAppAccess(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  if (!canSignInAsApp(provider)) return c.html(noAppAccessPage(c.get('principal'), provider), 409);
  const fields = await formData(c);
  const typed = { address: (fields['address'] ?? '').trim(), mailbox: fields['mailbox'] ?? '' };
  const again = (state: AppAccessState): Response | Promise<Response> =>
    c.html(
      appAccessPage({
        principal: c.get('principal'),
        provider,
        typed,
        state,
        demo: isOfDemo(services.config, provider),
      }),
      state.kind === 'vault-away' ? 503 : 422,
    );
  if (!isMailAddress(typed.address))
    return again({
      kind: 'no-address',
      sentence: 'Enter the address of the mailbox, for example support@example.org.',
    });

  const asked = await withVault(() => askAppToken(services.oauth, provider));
  if (asked.kind === 'vault-away') return again(asked);
  if (asked.kind === 'unproven') return again({ kind: 'no-credential', reason: asked.reason });
  if (asked.kind === 'failed')
    return again({
      kind: 'no-token',
      explanation: explained(c, provider, asked.failure),
      said: asked.failure.detail,
    });
  await promoteCredential(services, provider, asked.credential);
  const { objectId, roles } = asked;
  // If the roles cannot be read, the mail server decides.
  if (roles.length > 0 && !roles.includes('IMAP.AccessAsApp'))
    return again({ kind: 'no-role', objectId, roles });
  const preview = await openWith(c, provider, asked, typed.address);
  if (preview.kind === 'failed') return again({ kind: 'not-open', objectId, roles, code: preview.code });
  return connected(c, provider, asked, typed, again);
}

async function connected(
  c: PageContext,
  provider: Provider,
  token: AppToken,
  typed: { address: string; mailbox: string },
  again: (state: AppAccessState) => Response | Promise<Response>,
): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c, provider, typed.mailbox);
  const account = await withVault(() =>
    connectAsApp(services, provider, token, { address: typed.address, mailbox, by: c.get('principal') }),
  );
  if (account.kind === 'vault-away') return again(account);
  if (mailbox !== undefined) return c.redirect(paths.mailboxes({ flash: 'reconnected' }), 303);
  return c.redirect(
    paths.newMailbox({ account: `${account.providerId}.${account.accountId}`, flash: 'connected' }),
    303,
  );
}

function explained(c: PageContext, provider: Provider, failure: EndpointFailure) {
  const { config } = c.get('services');
  const context = explainContext({ config, provider, redirectUri: redirectUriOf(config, provider) });
  return explainProblem(explainable(failure), context);
}

/** Opens the inbox with the new token, before anything is saved. */
function openWith(
  c: PageContext,
  provider: Provider,
  { token }: AppToken,
  address: string,
): Promise<MailboxPreview> {
  const { intake, config, seam } = c.get('services');
  const { imap: server } = mailServersOf(provider, config);
  const mailbox: Mailbox = {
    id: '',
    address,
    protocol: 'imap',
    host: server?.host ?? '',
    port: server?.port ?? 993,
    folder: 'INBOX',
    providerId: provider.id,
    accountId: appAccountId(provider),
    enabled: true,
    intervalMinutes: 1,
    afterFetch: { kind: 'mark-seen' },
    createdAt: new Date(seam.now()).toISOString(),
  };
  return previewOf(
    { intake: { ...intake, accessTokens: { get: async () => ({ kind: 'token', token }) } } },
    mailbox,
  );
}

async function providerOf(c: PageContext): Promise<Provider | undefined> {
  return c.get('services').providers.get(c.req.param('id') ?? '');
}

/** The mailbox of this app that is to be reconnected. */
async function mailboxOf(
  c: PageContext,
  provider: Provider,
  id: string | undefined,
): Promise<Mailbox | undefined> {
  if (id === undefined || !/^[a-z2-7]{26}$/.test(id)) return undefined;
  const mailbox = await c.get('services').mailboxes.get(id);
  return mailbox?.accountId === appAccountId(provider) ? mailbox : undefined;
}
