import { log } from '../platform/log.ts';
import type { Vault, VaultProperties } from '../platform/vault.ts';
import { type ClientSecret, isSameCredential, secretName, withNext } from '../providers/credential.ts';
import { storeSecret } from '../providers/store-credential.ts';
import { traitsOf } from '../providers/presets.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { type RecordDeps, auditSystemChange } from '../providers/audit-system-change.ts';
import type { DirectorySecret, GraphApplications, GraphRefusal } from './graph-applications.ts';
import type { Rotation } from './rotation-records.ts';
import type { RotationStore } from './rotation-store.ts';
import { daysUntil } from './secret-state.ts';

export interface RotateDeps extends RecordDeps {
  vault: Vault;
  providers: ProviderStore;
  rotations: RotationStore;
  graph: GraphApplications;
}

/** A new secret is made when the present one has this many days left. */
const ROTATE_DAYS = 30;
/** How long a secret that nobody types may live: half a year. */
const LIFE_DAYS = 180;
const DAY_MS = 86_400_000;

export type RotationStep =
  | { kind: 'nothing' }
  /** There is a new secret; it is tried first from now on, and takes over once it has worked. */
  | { kind: 'made' }
  /** Secrets that Postroom made and no longer uses were removed from the app registration. */
  | { kind: 'removed' }
  | GraphRefusal;

/** Whether Postroom could make the secrets of this provider by itself: an Entra app that proves itself with one. */
export const canRotate = ({ preset, state, credential }: Provider): boolean =>
  state === 'ready' && traitsOf({ preset }).shape === 'entra' && credential?.kind === 'secret';

/**
 * Carries the rotation of every provider where an admin switched it on one step further. What Graph refuses is noted
 * and said with the warning that the secret is due: nothing else changes. Safe to repeat and to break off anywhere.
 * @throws PostroomError when the vault or storage is away.
 */
export async function rotateSecrets(deps: RotateDeps): Promise<void> {
  // Listed, and not asked for one by one: a provider that cannot be read stops no other.
  const providers = new Map((await deps.providers.list()).map((provider) => [provider.id, provider]));
  for (const rotation of await deps.rotations.list()) {
    if (!rotation.enabled) continue;
    const provider = providers.get(rotation.providerId);
    if (provider === undefined || !canRotate(provider)) continue;
    const step = await rotateOne(deps, provider, rotation);
    if (step.kind === 'refused') log.warn('rotation refused', { provider: provider.id, code: step.code });
    else if (step.kind !== 'nothing') log.info('secret rotated', { provider: provider.id, step: step.kind });
  }
}

/** One step of one provider; what Graph refuses is kept with the rotation. */
export async function rotateOne(
  deps: RotateDeps,
  provider: Provider,
  rotation: Rotation,
): Promise<RotationStep> {
  const step = await nextStep(deps, provider, rotation);
  if (step.kind === 'refused') {
    const problem = `Automatic rotation did not work. ${step.message}`;
    const current = (await deps.rotations.get(provider.id)) ?? rotation;
    if (problem !== current.problem) await deps.rotations.save({ ...current, problem });
  }
  return step;
}

/** What one step goes by. */
interface MailboxPreview {
  provider: Provider;
  rotation: Rotation;
  /** Secrets of the app registration. */
  directory: readonly DirectorySecret[];
  /** Of the provider's entry in the vault, newest first. */
  versions: readonly VaultProperties[];
}

async function nextStep(deps: RotateDeps, provider: Provider, rotation: Rotation): Promise<RotationStep> {
  const { credential, nextCredential } = provider;
  // A replacement has still to work, or to be given up by a person.
  if (credential?.kind !== 'secret' || nextCredential !== undefined) return { kind: 'nothing' };
  const { expiresOn } = credential;
  const isDue = expiresOn !== undefined && daysUntil(expiresOn, deps.seam.now()) <= ROTATE_DAYS;
  if (!isDue && !rotation.leftover) return { kind: 'nothing' };
  const [answer, versions] = await Promise.all([
    deps.graph.secrets(provider),
    deps.vault.versionsOf(secretName(provider.id)),
  ]);
  if (answer.kind === 'refused') return answer;
  const look: MailboxPreview = { provider, rotation, directory: answer.secrets, versions };
  return isDue ? makeNext(deps, look) : removeLeftover(deps, look);
}

async function makeNext(deps: RotateDeps, look: MailboxPreview): Promise<RotationStep> {
  const { provider, rotation } = look;
  const rotatedAt = new Date(deps.seam.now()).toISOString();
  // First of all: whatever a run leaves behind that dies further down is then looked for.
  await deps.rotations.save({ ...rotation, rotatedAt, leftover: true, problem: undefined });
  const removed = await removeStale(deps, look);
  if (removed.kind === 'refused') return removed;
  const next = keptByAnEarlierRun(look, rotatedAt) ?? (await newSecret(deps, look));
  if (next.kind === 'refused') return next;
  let before = provider;
  const changed = await deps.providers.change(provider.id, (current) => {
    before = current;
    return isSameCredential(current.credential, provider.credential) && current.nextCredential === undefined
      ? withNext(current, next)
      : undefined;
  });
  if (changed !== undefined) await auditSystemChange(deps, 'new secret made', before, changed);
  return { kind: 'made' };
}

async function removeLeftover(deps: RotateDeps, look: MailboxPreview): Promise<RotationStep> {
  const { provider, rotation } = look;
  const removed = await removeStale(deps, look);
  // What is still to be disabled in the vault becomes stale only then.
  if (removed.kind !== 'refused' && provider.retired.length === 0)
    await deps.rotations.save({ ...rotation, leftover: false, problem: undefined });
  return removed;
}

const nameInDirectory = ({ id }: Provider): string => `Postroom ${id}`;

/** Removes what is ours by its name and stands for no version of the vault that may still be read; nothing else, ever. */
async function removeStale(deps: RotateDeps, look: MailboxPreview): Promise<RotationStep> {
  const { provider, directory, versions } = look;
  const used = versions.filter(({ enabled }) => enabled).map(({ tags }) => tags['key']);
  const stale = directory.filter(
    ({ displayName, keyId }) => displayName === nameInDirectory(provider) && !used.includes(keyId),
  );
  for (const { keyId } of stale) {
    const gone = await deps.graph.removeSecret(provider, keyId);
    if (gone.kind === 'refused') return gone;
    await auditSystemChange(deps, 'old secret removed at the app registration', provider, provider);
  }
  return { kind: stale.length > 0 ? 'removed' : 'nothing' };
}

/** A run that died after it had kept a new secret, and before the provider's row named it. */
function keptByAnEarlierRun(
  { provider: { credential, retired }, directory, versions }: MailboxPreview,
  setAt: string,
): ClientSecret | undefined {
  const present = credential?.kind === 'secret' ? credential.version : undefined;
  const newest = versions.find(({ enabled, tags }) => enabled && tags['key'] !== undefined);
  if (newest?.version === undefined || newest.expiresOn === undefined) return undefined;
  const { name: vaultName, version, expiresOn, tags } = newest;
  if (version === present || retired.some((one) => one.version === version)) return undefined;
  const isThere = directory.some(({ keyId }) => keyId === tags['key']);
  return isThere ? { kind: 'secret', vaultName, version, setAt, expiresOn } : undefined;
}

async function newSecret(
  deps: RotateDeps,
  { provider }: MailboxPreview,
): Promise<ClientSecret | GraphRefusal> {
  const added = await deps.graph.addSecret(provider, {
    displayName: nameInDirectory(provider),
    endDateTime: new Date(deps.seam.now() + LIFE_DAYS * DAY_MS).toISOString(),
  });
  if (added.kind === 'refused') return added;
  const { value, keyId: key, expiresOn } = added;
  return storeSecret(deps, provider.id, { value, expiresOn, key });
}
