import { type Context, Hono } from 'hono';
import { redirectUriOf } from '../../shared/consent/start-consent.ts';
import { expiryOf, secretName, withNext } from '../../shared/providers/credential.ts';
import { keepSecret } from '../../shared/providers/keep-credential.ts';
import { type Preset, presetNamed, presetsFor } from '../../shared/providers/presets.ts';
import { type Provider, presetOf } from '../../shared/providers/provider.ts';
import {
  type ProviderDraft,
  parseProviderForm,
  proposedExpiry,
} from '../../shared/providers/provider-form.ts';
import { newProviderId } from '../../shared/providers/provider-store.ts';
import type { Flash } from '../../shared/ui/page.tsx';
import { requireRole } from '../guard.ts';
import type { Services } from '../services.ts';
import type { WebEnvironment } from '../web-environment.ts';
import {
  choosePresetPage,
  deleteProviderPage,
  providerFormPage,
  providerListPage,
  providerPage,
} from './provider-views.tsx';
import { flashOf, typedFields } from './typed-fields.ts';

const said: Readonly<Record<string, Flash>> = {
  changed: { kind: 'success', text: 'The changes are saved.' },
  deleted: { kind: 'success', text: 'The provider is deleted.' },
};

/** OAuth app registrations: list, add, edit, delete. */
export function providerPages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();
  pages.use('/providers', requireRole('admin'));
  pages.use('/providers/*', requireRole('admin'));

  pages.get('/providers', async (c) => {
    const { providers, seam } = c.get('services');
    return c.html(providerListPage(c.get('principal'), await providers.list(), seam.now(), flashOf(c, said)));
  });

  pages.get('/providers/new', (c) => {
    const { config, seam } = c.get('services');
    const preset = presetNamed(c.req.query('preset') ?? '', config);
    if (preset === undefined) return c.html(choosePresetPage(c.get('principal'), presetsFor(config)));
    const typed = {
      name: preset.label,
      clientId: '',
      expiresOn: proposedExpiry(seam.now()),
      ...practiceFields(preset, c),
    };
    return c.html(formPage(c, preset, undefined, typed, {}));
  });

  pages.post('/providers/new', async (c) => {
    const services = c.get('services');
    const typed = { ...(await typedFields(c)) };
    const preset = presetNamed(typed['preset'] ?? '', services.config);
    if (preset === undefined)
      return c.html(choosePresetPage(c.get('principal'), presetsFor(services.config)), 422);
    // The practice secret is known to the server; the page never holds it.
    if (preset.name === 'practice') typed['secret'] = services.config.practice?.clientSecret ?? '';
    const now = services.seam.now();
    const parsed = parseProviderForm(typed, preset, { local: services.config.local, now, secret: 'needed' });
    if (parsed.kind === 'invalid') return c.html(formPage(c, preset, undefined, typed, parsed.errors), 422);
    const id = newProviderId();
    const { secret } = parsed.draft;
    // The vault first: a row that names a secret must find it there.
    const credential = secret === undefined ? undefined : await keepSecret(services, id, secret);
    const at = new Date(now).toISOString();
    await services.providers.save({
      ...settingsOf(services, parsed.draft, preset),
      id,
      state: 'ready',
      cloud: 'worldwide',
      credential,
      nextCredential: undefined,
      retired: [],
      createdAt: at,
      changedAt: at,
    });
    return c.redirect(`/providers/${id}/connect?said=saved`, 303);
  });

  pages.get('/providers/:id', async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    const accounts = await services.accounts.listOf(provider.id);
    const view = {
      principal: c.get('principal'),
      provider,
      kind: presetNamed(provider.preset, services.config)?.label ?? 'Practice (not running)',
      accounts,
      redirectUri: redirectUriOf(services.config),
      now: services.seam.now(),
      flash: flashOf(c, said),
    };
    return c.html(providerPage(view));
  });

  pages.get('/providers/:id/edit', async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    return c.html(formPage(c, presetOf(provider, services.config), provider, fieldsOf(provider), {}));
  });

  pages.post('/providers/:id/edit', async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    const preset = presetOf(provider, services.config);
    const typed = await typedFields(c);
    const now = services.seam.now();
    const parsed = parseProviderForm(typed, preset, { local: services.config.local, now, secret: 'keep' });
    if (parsed.kind === 'invalid') return c.html(formPage(c, preset, provider, typed, parsed.errors), 422);
    const { draft } = parsed;
    const next =
      draft.secret === undefined ? undefined : await keepSecret(services, provider.id, draft.secret);
    await services.providers.change(provider.id, (current) => ({
      ...(next === undefined ? current : withNext(current, next)),
      ...settingsOf(services, draft, preset),
      changedAt: new Date(now).toISOString(),
    }));
    return c.redirect(`/providers/${provider.id}?said=changed`, 303);
  });

  pages.get('/providers/:id/delete', async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    const mailboxes = (await services.mailboxes.list()).filter(
      ({ providerId }) => providerId === provider.id,
    );
    return c.html(deleteProviderPage(c.get('principal'), provider, mailboxes));
  });

  pages.post('/providers/:id/delete', async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.redirect('/providers?said=deleted', 303);
    // The provider's own row goes last: a deletion that was cut short can be repeated from its page.
    for (const account of await services.accounts.listOf(provider.id)) {
      await services.accounts.remove(account);
      services.accessTokens.forget(account);
    }
    await services.vault.remove(secretName(provider.id));
    await services.providers.remove(provider.id);
    return c.redirect('/providers?said=deleted', 303);
  });

  return pages;
}

function formPage(
  c: Context<WebEnvironment>,
  preset: Preset,
  provider: Provider | undefined,
  typed: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>>,
): string {
  const redirectUri = redirectUriOf(c.get('services').config);
  return providerFormPage({ principal: c.get('principal'), preset, provider, typed, errors, redirectUri });
}

function practiceFields(preset: Preset, c: Context<WebEnvironment>): Record<string, string> {
  const { practice } = c.get('services').config;
  if (preset.name !== 'practice' || practice === undefined) return {};
  return { tenant: practice.tenant, clientId: practice.clientId };
}

function fieldsOf(provider: Provider): Record<string, string> {
  const { endpoints } = provider;
  return {
    name: provider.name,
    tenant: provider.tenant ?? '',
    clientId: provider.clientId,
    expiresOn:
      (provider.credential === undefined ? undefined : expiryOf(provider.credential))?.slice(0, 10) ?? '',
    scopes: provider.scopes.join(' '),
    endpoints: endpoints?.kind ?? 'discovery',
    issuer: endpoints?.kind === 'discovery' ? endpoints.issuer : '',
    authorizationEndpoint: endpoints?.kind === 'manual' ? endpoints.authorization : '',
    tokenEndpoint: endpoints?.kind === 'manual' ? endpoints.token : '',
  };
}

function settingsOf(
  services: Services,
  draft: ProviderDraft,
  preset: Preset,
): Pick<Provider, 'name' | 'preset' | 'tenant' | 'clientId' | 'endpoints' | 'scopes'> {
  const { name, clientId, endpoints, scopes } = draft;
  const tenant = preset.name === 'practice' ? services.config.practice?.tenant : draft.tenant;
  return { name, preset: preset.name, tenant, clientId, endpoints, scopes };
}
