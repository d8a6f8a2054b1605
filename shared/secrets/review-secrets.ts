import type { Finding } from '../alerts/alert.ts';
import type { AlertService } from '../alerts/alert-service.ts';
import type { Mailbox } from '../mailboxes/mailbox.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { log } from '../platform/log.ts';
import type { Seam } from '../platform/seam.ts';
import { telemetry } from '../platform/telemetry.ts';
import type { DeletedVaultEntry, Vault, VaultProperties } from '../platform/vault.ts';
import type { Credential } from '../providers/credential.ts';
import type { Provider } from '../providers/provider.ts';
import type { ProviderStore } from '../providers/provider-store.ts';
import type { RotationStore } from './rotation-store.ts';
import { entryOf, findingFor, isNew, type ReviewedSecret, secretSubject } from './secret-findings.ts';
import { daysUntil, stateOf } from './secret-state.ts';

export interface ReviewDeps {
  seam: Pick<Seam, 'now'>;
  /** Names, dates and tags only: a review can't read a value. */
  vault: Pick<Vault, 'list' | 'versionsOf' | 'listDeleted'>;
  providers: Pick<ProviderStore, 'list'>;
  mailboxes: { list(): Promise<Mailbox[]> };
  rotations: Pick<RotationStore, 'list'>;
  alerts: Pick<AlertService, 'observe'>;
}

/** The installation's own secrets, with their meaning. Other vault entries are ignored. */
const OWN_SECRETS: Readonly<Record<string, ReviewedSecret['what']>> = {
  'smtp-relay-url': 'relay address',
  'alert-webhook-url': 'webhook address',
  'alert-webhook-key': 'webhook key',
};
const AT_ONCE = 4;

type InVault = Exclude<Credential, { kind: 'federated' }>;
interface CredentialOfProvider {
  provider: Provider;
  credential: InVault;
  /** True for a replacement that has not been used yet. */
  isNext: boolean;
}

/**
 * Checks every secret's expiry and raises or updates its alert. Idempotent: each threshold alerts once.
 * Safe to restart after a failure.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function reviewSecrets(deps: ReviewDeps): Promise<ReviewedSecret[]> {
  const secrets = await checkSecrets(deps);
  await deps.alerts.observe({ source: 'review', findings: findingsFor(secrets, deps.seam.now()) });
  measure(secrets, deps.seam.now());
  return secrets;
}

/**
 * The same for one vault entry; its name is case-insensitive.
 * @returns false when no secret of ours has that name; nothing is done then
 */
export async function reviewSecret(deps: ReviewDeps, name: string): Promise<boolean> {
  const wanted = name.toLowerCase();
  const secrets = await checkSecrets(deps, ({ vaultName }) => vaultName.toLowerCase() === wanted);
  if (secrets.length === 0) return false;
  const about = secrets.map((secret) => secretSubject(secret).id);
  const findings = findingsFor(secrets, deps.seam.now());
  await deps.alerts.observe({ source: 'review', findings, about });
  return true;
}

/**
 * Checks the secrets with an open alert of the review again, so that the alert of a replaced secret closes
 * within a minute instead of the next morning. Costs nothing while there is none.
 * @throws PostroomError when the vault or storage is unavailable
 */
export async function recheckSecrets(
  deps: ReviewDeps & { alerts: Pick<AlertService, 'open' | 'observe'> },
): Promise<void> {
  const open = await deps.alerts.open();
  const subjects = open
    .map(({ findings }) => findings.review?.subject)
    .filter((subject) => subject !== undefined);
  if (subjects.length === 0) return;
  const names = new Set(subjects.map(entryOf));
  const secrets = await checkSecrets(deps, ({ vaultName }) => names.has(vaultName));
  const findings = findingsFor(secrets, deps.seam.now());
  await deps.alerts.observe({ source: 'review', findings, about: subjects.map(({ id }) => id) });
}

/** Every secret with its state, read from the vault now. */
export async function checkSecrets(
  deps: Omit<ReviewDeps, 'alerts'>,
  isWanted: (secret: { vaultName: string }) => boolean = () => true,
): Promise<ReviewedSecret[]> {
  const [providers, listed, mailboxes, rotations] = await Promise.all([
    deps.providers.list(),
    deps.vault.list(),
    deps.mailboxes.list(),
    deps.rotations.list(),
  ]);
  const now = deps.seam.now();
  const problems = new Map(
    rotations.filter(({ enabled }) => enabled).map(({ providerId, problem }) => [providerId, problem]),
  );
  // Only requested when an entry is missing: the app may not be allowed to list deleted entries.
  let deleted: Promise<DeletedVaultEntry[]> | undefined;
  const deletedEntry = async (name: string): Promise<DeletedVaultEntry | undefined> => {
    deleted ??= deps.vault.listDeleted().catch((error: unknown) => {
      log.error('deleted secrets not listed', error);
      return [];
    });
    return (await deleted).find((entry) => entry.name === name);
  };

  const own = listed
    .filter(({ name }) => OWN_SECRETS[name] !== undefined && isWanted({ vaultName: name }))
    // They may have no date. A disabled one is reported by its channel's alert, which the monitor raises.
    .filter(({ expiresOn, enabled }) => expiresOn !== undefined && enabled)
    .map((properties) => ownSecret(properties, now));
  const ofProviders = providers
    .flatMap((provider) => [
      { provider, credential: provider.credential, isNext: false },
      { provider, credential: provider.nextCredential, isNext: true },
    ])
    .filter((one): one is CredentialOfProvider => isInVault(one.credential))
    .filter(({ credential }) => isWanted(credential));
  const reviewed = await mapLimited(ofProviders, AT_ONCE, async (one) => {
    const { provider, credential } = one;
    const versions = await deps.vault.versionsOf(credential.vaultName);
    const properties = versions.find(({ version }) => version === credential.version);
    const found = await stateIn(properties, () => deletedEntry(credential.vaultName), now);
    const isEndless = found.state.kind === 'unknown-date' && credential.expiresOn === undefined;
    return {
      ...providerSecret(one, mailboxes),
      ...found,
      ...(isEndless && { state: { kind: 'endless' as const } }),
      rotationProblem: one.isNext ? undefined : problems.get(provider.id),
    };
  });
  return [...reviewed, ...own];
}

const isInVault = (credential: Credential | undefined): credential is InVault =>
  credential !== undefined && credential.kind !== 'federated';

async function stateIn(
  properties: VaultProperties | undefined,
  deletedEntry: () => Promise<DeletedVaultEntry | undefined>,
  now: number,
): Promise<Pick<ReviewedSecret, 'state' | 'expiresOn' | 'changedOn'>> {
  if (properties !== undefined) {
    const { expiresOn, updatedOn } = properties;
    return { state: stateOf(properties, now), expiresOn, changedOn: updatedOn };
  }
  const entry = await deletedEntry();
  return {
    state: { kind: 'missing', recoverableUntil: entry?.goneOn },
    expiresOn: undefined,
    changedOn: entry?.deletedOn,
  };
}

const ownSecret = (properties: VaultProperties, now: number): ReviewedSecret => ({
  vaultName: properties.name,
  what: OWN_SECRETS[properties.name] ?? 'webhook key',
  provider: undefined,
  expiresOn: properties.expiresOn,
  changedOn: properties.updatedOn,
  state: stateOf(properties, now),
  replacedSince: undefined,
  rotationProblem: undefined,
  mailboxes: [],
});

function providerSecret(
  { provider: { id, name, nextCredential }, credential: { vaultName, kind }, isNext }: CredentialOfProvider,
  mailboxes: readonly Mailbox[],
): Pick<ReviewedSecret, 'vaultName' | 'what' | 'provider' | 'replacedSince' | 'mailboxes'> {
  const what = kind === 'secret' ? 'client secret' : 'certificate';
  return {
    vaultName,
    what: isNext ? `new ${what}` : what,
    provider: { id, name },
    replacedSince: isNext ? undefined : nextCredential?.setAt,
    mailboxes: (isNext ? [] : mailboxes)
      .filter(({ providerId, enabled }) => enabled && providerId === id)
      .map(({ address }) => address)
      .sort(),
  };
}

const findingsFor = (secrets: readonly ReviewedSecret[], now: number): Finding[] =>
  secrets
    .filter((secret) => !isNew(secret) || !isWholeEntryGone(secret, secrets))
    .map((secret) => findingFor(secret, now))
    .filter((finding) => finding !== undefined);

/** A deleted entry takes all its versions with it; this is one fault. */
const isWholeEntryGone = ({ vaultName }: ReviewedSecret, secrets: readonly ReviewedSecret[]): boolean =>
  secrets.some((one) => !isNew(one) && one.vaultName === vaultName && one.state.kind === 'missing');

function measure(secrets: readonly ReviewedSecret[], now: number): void {
  for (const { expiresOn, provider, vaultName } of secrets.filter((secret) => !isNew(secret))) {
    const fields = provider === undefined ? { secret: vaultName } : { provider: provider.id };
    if (expiresOn !== undefined) telemetry.measure('expiryDays', daysUntil(expiresOn, now), fields);
  }
}
