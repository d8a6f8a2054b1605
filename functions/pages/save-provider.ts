import { checkProvider } from '../../shared/accounts/check-provider.ts';
import { endSignIns } from '../../shared/accounts/end-sign-ins.ts';
import type { Settings } from '../../shared/audit/audit.ts';
import { tryAtOnce } from '../../shared/mailboxes/try-at-once.ts';
import { type Credential, withNext, withOnly } from '../../shared/providers/credential.ts';
import type { CredentialWish } from '../../shared/providers/credential-form.ts';
import { keepNewCertificate, keepSecret } from '../../shared/providers/keep-credential.ts';
import type { Preset } from '../../shared/providers/presets.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { isAnotherRegistration, type ProviderInput } from '../../shared/providers/provider-form.ts';
import { credentialsForAudit } from '../../shared/providers/record-by-itself.ts';
import { disableRetired } from '../../shared/providers/settle-credential.ts';
import type { Services } from '../services.ts';

interface Saving {
  input: ProviderInput;
  preset: Preset;
  draft: boolean;
}

/** Keeps a new provider under an id that none has yet, and makes its preflight unless it is a draft. */
export async function saveNewProvider(services: Services, id: string, saving: Saving): Promise<Provider> {
  const { name } = saving.input;
  // The vault first: a row that names a credential must find it there.
  const credential = await keptCredential(services, { id, name }, saving.input.credential);
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
  await services.providers.save(provider);
  return saving.draft ? provider : checkProvider(services, provider);
}

/** Keeps the changes of a provider. Undefined: it is gone. */
export async function saveChangedProvider(
  services: Services,
  before: Provider,
  saving: Saving,
): Promise<Provider | undefined> {
  const { input, draft } = saving;
  const made = await keptCredential(services, { id: before.id, name: input.name }, input.credential);
  const another = isAnotherRegistration(before, input);
  const at = isoNow(services);
  const changed = await services.providers.change(before.id, (current) => ({
    ...withCredential(current, made, before.clientId !== input.clientId),
    ...settingsOf(services, saving),
    state: draft ? current.state : 'ready',
    preflight: undefined,
    redirectSeenAt: another ? undefined : current.redirectSeenAt,
    approvedAt: another ? undefined : current.approvedAt,
    changedAt: at,
  }));
  if (changed === undefined) return undefined;
  if (another && before.state === 'ready') {
    const accounts = (await services.accounts.listOf(before.id)).filter(({ kind }) => kind !== 'app');
    const message = `The tenant or the client ID of ${changed.name} was changed. Connect the mailbox again.`;
    await endSignIns(services.accounts, accounts, { code: 'provider-changed', message }, at);
    for (const account of accounts) services.accessTokens.forget(account);
  }
  await disableRetired(services, changed);
  await tryAtOnce(services.mailboxes, changed.id, services.seam.now());
  return changed.state === 'draft' ? changed : checkProvider(services, changed);
}

/** A secret of another app can never work for this one: there is nothing to keep beside the new one. */
function withCredential(current: Provider, made: Credential | undefined, otherApp: boolean): Provider {
  if (made === undefined) return current;
  return otherApp ? withOnly(current, made) : withNext(current, made);
}

async function keptCredential(
  services: Services,
  provider: { id: string; name: string },
  wish: CredentialWish,
): Promise<Credential | undefined> {
  switch (wish.kind) {
    case 'keep':
      return undefined;
    case 'secret':
      return keepSecret(services, provider.id, wish);
    case 'certificate':
      return keepNewCertificate(services, provider, wish.expiresOn);
    case 'federated':
      return { kind: 'federated', setAt: isoNow(services) };
  }
}

function settingsOf(
  services: Services,
  { input, preset }: Saving,
): Pick<Provider, 'name' | 'preset' | 'cloud' | 'tenant' | 'clientId' | 'endpoints' | 'scopes'> {
  const { name, cloud, clientId, endpoints, scopes } = input;
  const tenant = preset.name === 'practice' ? services.config.practice?.tenant : input.tenant;
  return { name, preset: preset.name, cloud, tenant, clientId, endpoints, scopes };
}

const isoNow = ({ seam }: Services): string => new Date(seam.now()).toISOString();

/** A provider as the audit shows it: never a secret, which the type refuses. */
export function settingsForAudit(provider: Provider): Settings {
  const { endpoints } = provider;
  return {
    name: provider.name,
    state: provider.state,
    kind: provider.preset,
    cloud: provider.cloud,
    tenant: provider.tenant,
    'client ID': provider.clientId,
    issuer: endpoints?.kind === 'discovery' ? endpoints.issuer : undefined,
    'authorization address': endpoints?.kind === 'manual' ? endpoints.authorization : undefined,
    'token address': endpoints?.kind === 'manual' ? endpoints.token : undefined,
    scopes: provider.scopes,
    ...credentialsForAudit(provider),
  };
}
