/** Adding a provider and changing one. */
import type { Account } from '../../../shared/accounts/account.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { proposedExpiry, questionedFrom } from '../../../shared/providers/credential-form.ts';
import { isReadyToSignIn } from '../../../shared/providers/preflight.ts';
import { type Preset, type Protocol, presetNamed, presetsFor } from '../../../shared/providers/presets.ts';
import { type Provider, presetOf, usualProtocols, waysOf } from '../../../shared/providers/provider.ts';
import {
  isAnotherRegistration,
  type ProviderFormResult,
  parseProviderForm,
  type Typed,
} from '../../../shared/providers/provider-form.ts';
import { isProviderId, newProviderId } from '../../../shared/providers/provider-store.ts';
import { wayFields } from '../../../shared/providers/ways.ts';
import { formData } from '../../http/form-data.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import { saveChangedProvider, saveNewProvider } from '../../use-cases/save-provider.ts';
import { providerFormPage } from './provider-form-view.tsx';
import { choosePresetPage } from './provider-list-view.tsx';

type Errors = Readonly<Record<string, string>>;

const CHANGED_MEANWHILE: Errors = {
  name: 'Someone else has changed this provider in the meantime. Nothing was saved. Open it again and repeat your change.',
};

export async function showNewProvider(c: PageContext): Promise<Response> {
  const { config, seam, providers } = c.get('services');
  const preset = presetNamed(c.req.query('preset') ?? '', config);
  if (preset === undefined) return c.html(choosePresetPage(c.get('principal'), presetsFor(config)));
  const id = c.req.query('id') ?? '';
  if (preset.settingsFrom === 'admin') {
    // The redirect URI contains the ID and is copied before anything is saved, so the ID is in the URL: a
    // reload shows the same one.
    if (!isProviderId(id))
      return c.redirect(paths.newProvider({ preset: preset.name, id: newProviderId() }), 303);
    if ((await providers.get(id)) !== undefined) return c.redirect(paths.editProvider({ id }), 303);
  }
  const typed = {
    id,
    name: preset.settingsFrom === 'admin' ? '' : preset.label,
    clientId: '',
    expiresOn: proposedExpiry(seam.now()),
    ...wayFields(proposedWays(preset)),
    ...linkedFields(preset, c),
    ...demoFields(preset, c),
  };
  return c.html(formPage(c, { preset, provider: undefined, typed, errors: {}, accounts: [] }));
}

export async function createProvider(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const typed = await formData(c);
  const preset = presetNamed(typed['preset'] ?? '', services.config);
  if (preset === undefined)
    return c.html(choosePresetPage(c.get('principal'), presetsFor(services.config)), 422);
  // The demo secret is known to the server; the page never contains it.
  if (preset.isDemo) typed['secret'] = services.config.demo?.clientSecret ?? '';
  const draft = typed['intent'] === 'draft';
  const id = idIn(typed);
  typed['id'] = id;
  // Submitted twice, or again after Back: the provider exists and may have changed since.
  if ((await services.providers.get(id)) !== undefined)
    return c.redirect(paths.provider({ id }, { flash: 'saved-before' }), 303);
  const parsed = parse(c, typed, preset, undefined);
  if (parsed.kind === 'invalid') {
    const view = { preset, provider: undefined, typed, errors: parsed.errors, accounts: [] };
    return c.html(formPage(c, view), 422);
  }
  const by = c.get('principal');
  const provider = await saveNewProvider(services, id, { input: parsed.input, preset, draft, by });
  return c.redirect(afterSaving(provider, 'saved'), 303);
}

export async function showProviderForm(c: RouteContext<'editProvider'>): Promise<Response> {
  const services = c.get('services');
  const provider = await services.providers.get(c.req.param('id'));
  if (provider === undefined) return c.notFound();
  const accounts = await peopleOf(c, provider);
  const typed = fieldsOf(provider, services.seam.now());
  const preset = presetOf(provider, services.config);
  return c.html(formPage(c, { preset, provider, typed, errors: {}, accounts }));
}

export async function changeProvider(c: RouteContext<'editProvider'>): Promise<Response> {
  const services = c.get('services');
  const before = await services.providers.get(c.req.param('id'));
  if (before === undefined) return c.notFound();
  const preset = presetOf(before, services.config);
  const typed = await formData(c);
  const accounts = await peopleOf(c, before);
  const parsed = parse(c, typed, preset, before);
  const errors =
    parsed.kind === 'invalid' ? parsed.errors : unconfirmed(before, parsed, typed, accounts.length);
  if (parsed.kind === 'invalid' || Object.keys(errors).length > 0)
    return c.html(formPage(c, { preset, provider: before, typed, errors, accounts }), 422);
  const draft = typed['intent'] === 'draft' && before.state === 'draft';
  const by = c.get('principal');
  const saved = await saveChangedProvider(services, before, { input: parsed.input, preset, draft, by });
  if (saved.kind === 'gone') return c.notFound();
  if (saved.kind === 'stale')
    return c.html(formPage(c, { preset, provider: before, typed, errors: CHANGED_MEANWHILE, accounts }), 409);
  const { provider: changed } = saved;
  const isFirst = before.state === 'draft' && accounts.length === 0;
  return c.redirect(
    isFirst ? afterSaving(changed, 'saved') : paths.provider(changed, { flash: 'changed' }),
    303,
  );
}

/** The demo shows push; elsewhere it needs one more permission, so a person chooses it. */
const proposedWays = ({ isDemo, graph }: Preset): readonly Protocol[] =>
  isDemo && graph !== undefined ? [...usualProtocols, 'graph-push'] : usualProtocols;

/** The ID that the form was opened with, as in the redirect URI it showed; otherwise a new one. */
const idIn = ({ id = '' }: Typed): string => (isProviderId(id) ? id : newProviderId());

/** The people who would have to sign in again; the app itself authenticates with its new ID. */
async function peopleOf(c: PageContext, { id }: Provider): Promise<Account[]> {
  return (await c.get('services').accounts.listOf(id)).filter(({ kind }) => kind !== 'app');
}

/** Continues to the mailbox, or to the provider’s page when it shows a problem that blocks sign-in. */
function afterSaving(provider: Provider, flash: string): string {
  if (provider.state === 'draft') return paths.provider(provider, { flash: 'draft' });
  const next = isReadyToSignIn(provider.preflight) ? paths.connect : paths.provider;
  return next(provider, { flash });
}

function parse(
  c: PageContext,
  typed: Typed,
  preset: Preset,
  before: Provider | undefined,
): ProviderFormResult {
  const { config, seam } = c.get('services');
  const draft = typed['intent'] === 'draft' && before?.state !== 'ready';
  return parseProviderForm(typed, preset, { local: config.local, now: seam.now(), before, draft });
}

/** A changed registration ends the sign-ins, so it has to be confirmed first. */
function unconfirmed(
  before: Provider,
  { input }: Extract<ProviderFormResult, { kind: 'valid' }>,
  typed: Typed,
  accounts: number,
): Errors {
  if (accounts === 0 || typed['signInAgain'] === 'on' || !isAnotherRegistration(before, input)) return {};
  return {
    signInAgain:
      'Changing the tenant, client ID or an endpoint deletes the tokens of these accounts, and they have to sign in again. Confirm this, or restore the previous values.',
  };
}

interface FormParts {
  preset: Preset;
  provider: Provider | undefined;
  typed: Typed;
  errors: Errors;
  accounts: readonly Account[];
}

function formPage(c: PageContext, parts: FormParts): string {
  const { config, seam } = c.get('services');
  return providerFormPage({
    ...parts,
    principal: c.get('principal'),
    redirectUri: redirectUriOf(
      config,
      parts.provider ?? { id: parts.typed['id'] ?? '', preset: parts.preset.name },
    ),
    questionedFrom: questionedFrom(seam.now()),
    local: config.local,
  });
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Values that a link may prefill: the ids of an app registration, as `npm run register-app` prints them. */
function linkedFields(preset: Preset, c: PageContext): Record<string, string> {
  if (preset.guide?.kind !== 'entra-portal') return {};
  const ids = ['tenant', 'clientId'].flatMap((name) => {
    const value = c.req.query(name) ?? '';
    return GUID.test(value) ? [[name, value]] : [];
  });
  const federated = c.req.query('credential') === 'federated';
  return { ...Object.fromEntries(ids), ...(federated && { credential: 'federated' }) };
}

function demoFields(preset: Preset, c: PageContext): Record<string, string> {
  const { demo } = c.get('services').config;
  if (!preset.isDemo || demo === undefined) return {};
  return { tenant: demo.tenant, clientId: demo.clientId };
}

function fieldsOf(provider: Provider, now: number): Record<string, string> {
  const { endpoints } = provider;
  return {
    name: provider.name,
    cloud: provider.cloud,
    tenant: provider.tenant ?? '',
    clientId: provider.clientId,
    // For a new one: the current secret keeps its own date.
    expiresOn: proposedExpiry(now),
    scopes: provider.scopes.join(' '),
    ...wayFields(waysOf(provider)),
    imapHost: provider.mailHosts?.imap ?? '',
    smtpHost: provider.mailHosts?.smtp ?? '',
    pop3Host: provider.mailHosts?.pop3 ?? '',
    endpoints: endpoints?.kind ?? 'discovery',
    issuer: endpoints?.kind === 'discovery' ? endpoints.issuer : '',
    authorizationEndpoint: endpoints?.kind === 'manual' ? endpoints.authorization : '',
    tokenEndpoint: endpoints?.kind === 'manual' ? endpoints.token : '',
  };
}
