import { createHash, timingSafeEqual } from 'node:crypto';
import { newState } from '../accounts/oauth-client.ts';
import { PostroomError } from '../platform/errors.ts';
import { Secret } from '../platform/secret.ts';
import { presetNamed } from '../providers/presets.ts';
import { type Provider, waysOf } from '../providers/provider.ts';
import { APPROVAL_DAYS, approvalAddress, takesApproval } from './approval.ts';
import type { ApprovalDeps } from './ask-approval.ts';
import type { SetUpApproval } from './consent-records.ts';
import type { StoredSetUpApproval } from './set-up-approval-store.ts';
import { redirectUriOf } from './start-consent.ts';

const DAY_MS = 24 * 60 * 60_000;
// Prefix before the random part, as in approval.ts; the provider's ID finds the row.
const STATE = /^setup_([a-z2-7]{26})_[\w-]{43}$/;

/** The provider of a set-up state; undefined for a state of another kind. */
export const providerOfSetUpState = (state: string): string | undefined => STATE.exec(state)?.[1];

/** True when this state was issued for this set-up approval. */
export const isStateOf = ({ stateHash }: SetUpApproval, state: string): boolean =>
  timingSafeEqual(Buffer.from(stateHash), Buffer.from(hashOf(state)));

/** An approval is only valid for the registration it was requested for. */
export const registrationOf = ({ cloud, tenant, clientId }: Provider): string =>
  [cloud, tenant, clientId].join('|');

type World = Parameters<typeof presetNamed>[1];

/** True once a tenant admin can be asked, even before any sign-in. */
export const canAskInSetUp = (provider: Provider, world: World): boolean =>
  provider.clientId !== '' &&
  provider.tenant !== undefined &&
  // Without the demo running, a demo provider has no endpoints.
  presetNamed(provider.preset, world, provider.cloud) !== undefined &&
  takesApproval(provider);

/**
 * The admin consent link of set-up, for all permissions. It stays the same for a week, so that a link
 * already sent stays valid. Undefined when the provider has no tenant-wide consent.
 */
export async function setUpApprovalLink(deps: ApprovalDeps, provider: Provider): Promise<string | undefined> {
  if (!canAskInSetUp(provider, deps.config)) return undefined;
  const before = await deps.setUpApprovals.get(provider.id);
  const state =
    (await openState(deps, provider, before)) ??
    (await askAnew(deps, provider, before)) ??
    (await openState(deps, provider, await deps.setUpApprovals.get(provider.id)));
  if (state === undefined) return undefined;
  return approvalAddress(provider, deps.config, {
    redirectUri: redirectUriOf(deps.config, provider),
    state: state.expose(),
    protocols: waysOf(provider),
  });
}

async function openState(
  deps: ApprovalDeps,
  provider: Provider,
  stored: StoredSetUpApproval | undefined,
): Promise<Secret | undefined> {
  const approval = stored?.approval;
  if (approval === undefined || approval.registration !== registrationOf(provider)) return undefined;
  if (Date.parse(approval.expiresAt) <= deps.seam.now()) return undefined;
  try {
    return await deps.sealer.open(approval.sealedState, contextOf(provider.id));
  } catch (error) {
    // Its encryption key is gone, so a new link is made.
    if (error instanceof PostroomError && error.code === 'sealed-unreadable') return undefined;
    throw error;
  }
}

/** Undefined when another process made one at the same time: its link is used. */
async function askAnew(
  deps: ApprovalDeps,
  provider: Provider,
  before: StoredSetUpApproval | undefined,
): Promise<Secret | undefined> {
  const state = new Secret(`setup_${provider.id}_${newState().expose()}`);
  const approval = {
    providerId: provider.id,
    registration: registrationOf(provider),
    stateHash: hashOf(state.expose()),
    sealedState: await deps.sealer.seal(state, contextOf(provider.id)),
    expiresAt: new Date(deps.seam.now() + APPROVAL_DAYS * DAY_MS).toISOString(),
  };
  return (await deps.setUpApprovals.save(approval, before)) ? state : undefined;
}

const contextOf = (providerId: string): string => `set-up approval|${providerId}|state`;
const hashOf = (state: string): string =>
  createHash('sha256').update(`set-up approval|${state}`).digest('base64url');
