import { checkProvider } from '../../shared/accounts/check-provider.ts';
import { invalidateAccounts } from '../../shared/accounts/invalidate-accounts.ts';
import type { AuditChange } from '../../shared/audit/audit.ts';
import { retryNow } from '../../shared/mailboxes/retry-now.ts';
import { type Credential, credentialsOf, withNext, withOnly } from '../../shared/providers/credential.ts';
import type { CredentialInput } from '../../shared/providers/credential-form.ts';
import type { Preset } from '../../shared/providers/presets.ts';
import { disableRetired } from '../../shared/providers/promote-credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { providerEntry } from '../../shared/providers/provider-entry.ts';
import { isAnotherRegistration, type ProviderInput } from '../../shared/providers/provider-form.ts';
import { registrationOf } from '../../shared/providers/registration.ts';
import { storeNewCertificate, storeSecret } from '../../shared/providers/store-credential.ts';
import type { Services } from '../services.ts';

interface Saving {
  input: ProviderInput;
  preset: Preset;
  draft: boolean;
  /** Who saves it. */
  by: AuditChange['principal'];
}

/**
 * Stores a new provider under an unused ID, and runs its preflight unless it is a draft. The audit entry is
 * written before the row, and so before a secret is sent to the endpoints in it: a crash leaves no change
 * without its entry.
 */
export async function saveNewProvider(services: Services, id: string, saving: Saving): Promise<Provider> {
  const { name } = saving.input;
  // The vault first: a credential that a row refers to must exist there.
  const credential = await storeCredential(services, { id, name }, saving.input.credential);
  const at = isoNow(services);
  const provider: Provider = {
    ...settingsOf(services, saving),
    id,
    state: saving.draft ? 'draft' : 'ready',
    credential,
    nextCredential: undefined,
    retired: [],
    createdAt: at,
    changedAt: at,
  };
  const action = saving.draft ? 'saved as a draft' : 'created';
  await services.audit.record(
    providerEntry({ at: services.seam.now(), principal: saving.by, action, after: provider }),
  );
  await services.providers.save(provider);
  return saving.draft ? provider : checkProvider(services, provider);
}

/**
 * Stores the changes of a provider. A different registration ends the sign-ins and erases their tokens, so
 * that none is sent to a host it was not issued for. `gone`: the provider was deleted since the form was
 * opened; `stale`: it was changed since then. As for a new one, the audit entry is written first; if the
 * row changes in between, the save is stale.
 */
export async function saveChangedProvider(
  services: Services,
  before: Provider,
  saving: Saving,
): Promise<{ kind: 'saved'; provider: Provider } | { kind: 'gone' } | { kind: 'stale' }> {
  const { input, draft } = saving;
  const made = await storeCredential(services, { id: before.id, name: input.name }, input.credential);
  const another = isAnotherRegistration(before, input);
  const at = isoNow(services);
  // The form was checked against `before`: a secret stored since then was issued for the settings of that
  // time.
  const isStale = (current: Provider): boolean =>
    registrationOf(current) !== registrationOf(before) ||
    (another && made === undefined && credentialsOf(current).some(({ kind }) => kind === 'secret'));
  const asChanged = (current: Provider): Provider => ({
    ...withCredential(current, made, another),
    ...settingsOf(services, saving),
    state: draft ? current.state : 'ready',
    preflight: undefined,
    redirectSeenAt: another ? undefined : current.redirectSeenAt,
    approvedAt: another ? undefined : current.approvedAt,
    changedAt: at,
  });
  const present = await services.providers.get(before.id);
  if (present === undefined) return { kind: 'gone' };
  if (isStale(present)) return { kind: 'stale' };
  const entry = { before: present, after: asChanged(present), action: 'changed', principal: saving.by };
  await services.audit.record(providerEntry({ ...entry, at: services.seam.now() }));
  let stale = false;
  const changed = await services.providers.change(before.id, (current) => {
    stale = isStale(current);
    return stale ? undefined : asChanged(current);
  });
  if (changed === undefined) return { kind: stale ? 'stale' : 'gone' };
  if (another && before.state === 'ready') {
    const accounts = await services.accounts.listOf(before.id);
    const message = `The tenant, client ID or an endpoint of ${changed.name} was changed, so the previous sign-ins were deleted. Connect the mailbox again.`;
    await invalidateAccounts(services.accounts, accounts, { code: 'provider-changed', message }, at);
    for (const account of accounts) services.accessTokens.forget(account);
  }
  await disableRetired(services, changed);
  await retryNow(services.mailboxes, changed.id, services.seam.now());
  const provider = changed.state === 'draft' ? changed : await checkProvider(services, changed);
  return { kind: 'saved', provider };
}

/**
 * A secret of another registration must not be used for this one, so no credential is kept beside the new
 * one.
 */
function withCredential(current: Provider, made: Credential | undefined, another: boolean): Provider {
  if (made === undefined) return current;
  return another ? withOnly(current, made) : withNext(current, made);
}

async function storeCredential(
  services: Services,
  provider: { id: string; name: string },
  input: CredentialInput,
): Promise<Credential | undefined> {
  switch (input.kind) {
    case 'keep':
      return undefined;
    case 'secret':
      return storeSecret(services, provider.id, input);
    case 'certificate':
      return storeNewCertificate(services, provider, input.expiresOn);
    case 'federated':
      return { kind: 'federated', setAt: isoNow(services) };
  }
}

function settingsOf(
  services: Services,
  { input, preset }: Saving,
): Pick<
  Provider,
  'name' | 'preset' | 'cloud' | 'tenant' | 'clientId' | 'endpoints' | 'mailHosts' | 'scopes' | 'ways'
> {
  const { name, cloud, clientId, endpoints, mailHosts, scopes, ways } = input;
  const tenant = preset.isDemo ? services.config.demo?.tenant : input.tenant;
  return {
    name,
    preset: preset.name,
    cloud,
    tenant,
    clientId,
    endpoints,
    mailHosts,
    scopes,
    ...(ways !== undefined && { ways }),
  };
}

const isoNow = ({ seam }: Services): string => new Date(seam.now()).toISOString();
