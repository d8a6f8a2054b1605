import { log } from '../platform/log.ts';
import type { Vault, VaultProperties } from '../platform/vault.ts';
import { auditSystemChange, type RecordDeps } from '../providers/audit-system-change.ts';
import { type ClientSecret, isSameCredential, secretName, withNext } from '../providers/credential.ts';
import { traitsOf } from '../providers/presets.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import { storeSecret } from '../providers/store-credential.ts';
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

/** A new secret is created when the current one has this many days left. */
const ROTATE_DAYS = 30;
/** Lifetime of a secret that no person has to enter: half a year. */
const LIFE_DAYS = 180;
const DAY_MS = 86_400_000;

export type RotationStep =
  | { kind: 'nothing' }
  /**
   * A new secret was created; it is tried first from now on, and replaces the current one once it has
   * worked.
   */
  | { kind: 'made' }
  /** Secrets that Postroom created and no longer uses were removed from the app registration. */
  | { kind: 'removed' }
  | GraphRefusal;

/** True when Postroom can create this provider's secrets: an Entra app that authenticates with one. */
export const canRotate = ({ preset, state, credential }: Provider): boolean =>
  state === 'ready' && traitsOf({ preset }).shape === 'entra' && credential?.kind === 'secret';

/**
 * Advances the rotation of every provider by one step, where an admin turned it on. A refusal by Graph is
 * stored and shown with the alert that the secret expires. Safe to repeat and to interrupt at any point.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function rotateSecrets(deps: RotateDeps): Promise<void> {
  // Listed instead of read one by one, so that an unreadable provider does not stop the others.
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

/** One step of one provider; a refusal by Graph is stored with the rotation. */
async function rotateOne(deps: RotateDeps, provider: Provider, rotation: Rotation): Promise<RotationStep> {
  const step = await nextStep(deps, provider, rotation);
  if (step.kind === 'refused') {
    const problem = `Automatic rotation failed. ${step.message}`;
    const current = (await deps.rotations.get(provider.id)) ?? rotation;
    if (problem !== current.problem) await deps.rotations.save({ ...current, problem });
  }
  return step;
}

/** The input of one step. */
interface RotationInput {
  provider: Provider;
  rotation: Rotation;
  /** Secrets of the app registration. */
  directory: readonly DirectorySecret[];
  /** Versions of the provider's vault entry, newest first. */
  versions: readonly VaultProperties[];
}

async function nextStep(deps: RotateDeps, provider: Provider, rotation: Rotation): Promise<RotationStep> {
  const { credential, nextCredential } = provider;
  // A replacement must first work, or be discarded by a person.
  if (credential?.kind !== 'secret' || nextCredential !== undefined) return { kind: 'nothing' };
  const { expiresOn } = credential;
  const isDue = expiresOn !== undefined && daysUntil(expiresOn, deps.seam.now()) <= ROTATE_DAYS;
  if (!isDue && !rotation.leftover) return { kind: 'nothing' };
  const [answer, versions] = await Promise.all([
    deps.graph.secrets(provider),
    deps.vault.versionsOf(secretName(provider.id)),
  ]);
  if (answer.kind === 'refused') return answer;
  const step: RotationInput = { provider, rotation, directory: answer.secrets, versions };
  return isDue ? makeNext(deps, step) : removeLeftover(deps, step);
}

async function makeNext(deps: RotateDeps, step: RotationInput): Promise<RotationStep> {
  const { provider, rotation } = step;
  const rotatedAt = new Date(deps.seam.now()).toISOString();
  // Saved first, so that secrets left by a run that crashes later are cleaned up.
  await deps.rotations.save({ ...rotation, rotatedAt, leftover: true, problem: undefined });
  const removed = await removeStale(deps, step);
  if (removed.kind === 'refused') return removed;
  const next = keptByAnEarlierRun(step, rotatedAt) ?? (await newSecret(deps, step));
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

async function removeLeftover(deps: RotateDeps, step: RotationInput): Promise<RotationStep> {
  const { provider, rotation } = step;
  const removed = await removeStale(deps, step);
  // Only then do versions that still have to be disabled become stale.
  if (removed.kind !== 'refused' && provider.retired.length === 0)
    await deps.rotations.save({ ...rotation, leftover: false, problem: undefined });
  return removed;
}

const nameInDirectory = ({ id }: Provider): string => `Postroom ${id}`;

/** Removes only secrets that have our name and belong to no vault version that can still be read. */
async function removeStale(deps: RotateDeps, step: RotationInput): Promise<RotationStep> {
  const { provider, directory, versions } = step;
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

/** The secret of a run that crashed after storing it and before the provider's row referred to it. */
function keptByAnEarlierRun(
  { provider: { credential, retired }, directory, versions }: RotationInput,
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
  { provider }: RotationInput,
): Promise<ClientSecret | GraphRefusal> {
  const added = await deps.graph.addSecret(provider, {
    displayName: nameInDirectory(provider),
    endDateTime: new Date(deps.seam.now() + LIFE_DAYS * DAY_MS).toISOString(),
  });
  if (added.kind === 'refused') return added;
  const { value, keyId: key, expiresOn } = added;
  return storeSecret(deps, provider.id, { value, expiresOn, key });
}
