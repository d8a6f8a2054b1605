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
import { mailProtocols } from '../../../shared/mailboxes/mailbox-form.ts';
import type { MailboxPreview } from '../../../shared/mailboxes/preview-mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { type MailHost, presetNamed } from '../../../shared/providers/presets.ts';
import { promoteCredential } from '../../../shared/providers/promote-credential.ts';
import { protocolAccess } from '../../../shared/providers/protocol-access.ts';
import { isOfDemo, mailServersOf, type Provider, waysOf } from '../../../shared/providers/provider.ts';
import { formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { connectAsApp } from '../../use-cases/connect-as-app.ts';
import { explainContext } from '../errors/explain-context.ts';
import { finishSwitch } from '../mailboxes/over-graph.ts';
import { previewOf } from '../mailboxes/preview-mailbox.ts';
import { type AppAccessState, type AppWay, appAccessPage, noAppAccessPage } from './app-access-view.tsx';

export async function showAppAccess(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  if (!canSignInAsApp(provider)) return c.html(noAppAccessPage(c.get('principal'), provider), 409);
  const mailbox = await mailboxOf(c, provider, c.req.query('mailbox'));
  const typed = {
    address: mailbox?.address ?? c.req.query('address') ?? '',
    mailbox: mailbox?.id ?? '',
    way: wayOf(c, provider, mailbox, c.req.query('way')),
  };
  const { config } = c.get('services');
  return c.html(
    appAccessPage({
      offersGraph: graphOf(c, provider) !== undefined,
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
  const mailbox = await mailboxOf(c, provider, fields['mailbox']);
  const way = wayOf(c, provider, mailbox, fields['way']);
  const typed = { address: (fields['address'] ?? '').trim(), mailbox: fields['mailbox'] ?? '', way };
  const again = (state: AppAccessState): Response | Promise<Response> =>
    c.html(
      appAccessPage({
        offersGraph: graphOf(c, provider) !== undefined,
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

  const asked = await withVault(() => askAppToken(services.oauth, provider, protocolAccess[way].resource));
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
  // If the roles cannot be read, the mail server decides. For Graph, Exchange itself may have granted the role,
  // which no token shows.
  if (way === 'imap' && roles.length > 0 && !roles.includes(protocolAccess.imap.role.name))
    return again({ kind: 'no-role', objectId, roles });
  const preview = await openWith(c, provider, asked, typed);
  if (preview.kind === 'failed') return again({ kind: 'not-open', objectId, roles, code: preview.code });
  return connected(c, provider, asked, { address: typed.address, mailbox, way }, again);
}

async function connected(
  c: PageContext,
  provider: Provider,
  token: AppToken,
  { address, mailbox, way }: { address: string; mailbox: Mailbox | undefined; way: AppWay },
  again: (state: AppAccessState) => Response | Promise<Response>,
): Promise<Response> {
  const services = c.get('services');
  const account = await withVault(() =>
    connectAsApp(services, provider, token, { address, mailbox, by: c.get('principal') }),
  );
  if (account.kind === 'vault-away') return again(account);
  if (mailbox !== undefined && way === 'graph' && mailbox.protocol !== 'graph')
    return c.redirect(await finishSwitch(c, mailbox.id, 'graph'), 303);
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
  { address, way }: { address: string; way: AppWay },
): Promise<MailboxPreview> {
  const { intake, config, seam } = c.get('services');
  const server = way === 'graph' ? graphOf(c, provider) : mailServersOf(provider, config).imap;
  const mailbox: Mailbox = {
    id: '',
    address,
    protocol: way,
    host: server?.host ?? '',
    port: server?.port ?? mailProtocols[way].ports[0],
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

/** Where the provider's Microsoft Graph is, if it has one. */
const graphOf = (c: PageContext, provider: Provider): MailHost | undefined =>
  presetNamed(provider.preset, c.get('services').config, provider.cloud)?.graph;

/** The chosen way, that of the mailbox, or the only one of the two that the provider uses. */
function wayOf(
  c: PageContext,
  provider: Provider,
  mailbox: Mailbox | undefined,
  chosen: string | undefined,
): AppWay {
  if (graphOf(c, provider) === undefined) return 'imap';
  if (chosen === 'graph' || chosen === 'imap') return chosen;
  if (mailbox !== undefined) return mailbox.protocol === 'graph' ? 'graph' : 'imap';
  const ways = waysOf(provider);
  return ways.includes('graph') && !ways.includes('imap') ? 'graph' : 'imap';
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
