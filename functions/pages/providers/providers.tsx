/** Providers: list, detail page, check, downloads, deletion. */
import { checkProvider } from '../../../shared/accounts/check-provider.ts';
import { trustedIdentityFor } from '../../../shared/accounts/trusted-identity.ts';
import { canAskInSetUp, setUpApprovalLink } from '../../../shared/consent/set-up-approval.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { usesProvider } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { type ChecklistStep, checklistOf } from '../../../shared/providers/checklist.ts';
import { certificatePem, credentialsOf, thumbprintOf } from '../../../shared/providers/credential.ts';
import { discardCredential } from '../../../shared/providers/discard-credential.ts';
import { isReadyToSignIn } from '../../../shared/providers/preflight.ts';
import { presetNamed, traitsOf } from '../../../shared/providers/presets.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { registrationScript } from '../../../shared/providers/registration-script.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import type { Services } from '../../services.ts';
import { deleteProvider } from '../../use-cases/delete-provider.ts';
import { deleteProviderPage } from './provider-delete-view.tsx';
import { portalLink } from './provider-links.ts';
import { providerListPage } from './provider-list-view.tsx';
import { type ProviderView, providerPage } from './provider-page-view.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  saved: { kind: 'warning', text: 'Saved, but one problem must be fixed before anyone can sign in.' },
  draft: { kind: 'success', text: 'Draft saved. You can continue at any time.' },
  'saved-before': {
    kind: 'warning',
    text: 'This form was already saved; this is the provider it created. Choose “Edit” to change it.',
  },
  changed: { kind: 'success', text: 'Changes saved.' },
  ok: { kind: 'success', text: 'Tenant, client ID and credential are accepted.' },
  trouble: { kind: 'warning', text: 'Checked just now. Not everything is accepted yet.' },
  discarded: { kind: 'success', text: 'New credential discarded. The previous one stays in use.' },
  deleted: { kind: 'success', text: 'Provider deleted.' },
};

export async function showProviders(c: PageContext): Promise<Response> {
  const { providers, seam, tables } = c.get('services');
  return c.html(
    providerListPage(
      c.get('principal'),
      await providers.list(),
      seam.now(),
      flashOf(c, flashes),
      unreadableRows(tables, 'Providers'),
    ),
  );
}

export async function showProvider(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  return c.html(providerPage(await viewOf(c, provider)));
}

export async function checkProviderNow(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  const checked = provider.state === 'draft' ? provider : await checkProvider(c.get('services'), provider);
  const result = isReadyToSignIn(checked.preflight) ? 'ok' : 'trouble';
  return c.redirect(paths.provider(provider, { flash: result }), 303);
}

export async function discardNextCredential(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  await discardCredential(c.get('services'), provider, c.get('principal'));
  return c.redirect(paths.provider(provider, { flash: 'discarded' }), 303);
}

export async function downloadScript(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  const script = provider && (await viewOf(c, provider)).script;
  if (script === undefined) return c.notFound();
  return c.body(script, 200, attachment('postroom-registration.sh', 'text/plain; charset=utf-8'));
}

export async function downloadCertificate(c: RouteContext<'certificate'>): Promise<Response> {
  const provider = await providerOf(c);
  const thumbprint = c.req.param('thumbprint');
  const found = (provider === undefined ? [] : credentialsOf(provider)).find(
    (one) => one.kind === 'certificate' && thumbprintOf(one.certificate) === thumbprint,
  );
  if (found?.kind !== 'certificate') return c.notFound();
  const name = `postroom-${thumbprint.slice(0, 8).toLowerCase()}.cer`;
  return c.body(certificatePem(found.certificate), 200, attachment(name, 'application/octet-stream'));
}

export async function showProviderDeletion(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.notFound();
  return c.html(await deletePage(c, provider, undefined));
}

export async function confirmProviderDeletion(c: PageContext): Promise<Response> {
  const provider = await providerOf(c);
  if (provider === undefined) return c.redirect(paths.providers({ flash: 'deleted' }), 303);
  const typed = (await formData(c))['name']?.trim();
  if (typed !== provider.name) {
    const error = `To delete the provider, type its name: ${provider.name}`;
    return c.html(await deletePage(c, provider, error), 422);
  }
  await deleteProvider(c.get('services'), provider, c.get('principal'));
  return c.redirect(paths.providers({ flash: 'deleted' }), 303);
}

const providerOf = (c: PageContext): Promise<Provider | undefined> =>
  c.get('services').providers.get(c.req.param('id') ?? '');

async function viewOf(c: PageContext, provider: Provider): Promise<ProviderView> {
  const services = c.get('services');
  const { config, seam } = services;
  const [accounts, mailboxes, health, rotation] = await Promise.all([
    services.accounts.listOf(provider.id),
    mailboxesOf(services, provider),
    services.mailboxes.health(),
    services.rotations.get(provider.id),
  ]);
  const redirectUri = redirectUriOf(config, provider);
  const isFederated = credentialsOf(provider).some(({ kind }) => kind === 'federated');
  const identity = isFederated ? await trustedIdentityFor(services, provider) : undefined;
  const steps = checklistOf(provider, {
    accounts: accounts.map(({ user, state, scopes, kind }) => ({
      user,
      works: state === 'ok',
      scopes,
      asApp: kind === 'app',
    })),
    mailboxes: mailboxes.map(({ id, address }) => ({
      address,
      opened: health.get(id)?.lastSuccessAt !== undefined,
    })),
  });
  const known = identity?.kind === 'known' ? identity : undefined;
  return {
    principal: c.get('principal'),
    config,
    provider,
    kind: presetNamed(provider.preset, config)?.label ?? 'Demo (not running)',
    steps,
    accounts,
    redirectUri,
    approvalLink: await approvalLinkFor(services, provider, steps),
    identity,
    rotation,
    script:
      traitsOf(provider).guide?.kind === 'entra-portal'
        ? registrationScript({ provider, redirectUri, identity: known })
        : undefined,
    now: seam.now(),
    flash: flashOf(c, flashes),
  };
}

/** Offered until a token has shown the permissions. Without the vault, the link carries no state. */
async function approvalLinkFor(
  services: Services,
  provider: Provider,
  steps: readonly ChecklistStep[],
): Promise<string | undefined> {
  if (steps.some(({ name, state }) => name === 'permissions' && state === 'proven')) return undefined;
  if (!canAskInSetUp(provider, services.config)) return undefined;
  const withoutState = (): string =>
    portalLink('admin-consent', provider, redirectUriOf(services.config, provider)).href;
  try {
    return (await setUpApprovalLink(services, provider)) ?? withoutState();
  } catch {
    return withoutState();
  }
}

async function mailboxesOf({ mailboxes }: Services, provider: Provider): Promise<Mailbox[]> {
  return (await mailboxes.list()).filter((mailbox) => usesProvider(mailbox, provider.id));
}

async function deletePage(c: PageContext, provider: Provider, error: string | undefined): Promise<string> {
  const services = c.get('services');
  const mailboxes = await mailboxesOf(services, provider);
  const accounts = await services.accounts.listOf(provider.id);
  return deleteProviderPage({ principal: c.get('principal'), provider, mailboxes, accounts, error });
}

const attachment = (name: string, type: string): Record<string, string> => ({
  'content-type': type,
  'content-disposition': `attachment; filename="${name}"`,
  'x-content-type-options': 'nosniff',
});
