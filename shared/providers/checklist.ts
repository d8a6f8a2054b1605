import type { Credential } from './credential.ts';
import { protocolsIn } from './permissions.ts';
import type { Proof } from './preflight.ts';
import { traitsOf } from './presets.ts';
import { type Provider, waysOf } from './provider.ts';

/**
 * `proven`: Postroom has seen it work. `reported`: claimed, but not verified. `unseen`: not verified yet, which does not
 * mean that it is missing. `waiting`: someone has to do it.
 */
export type StepState = 'proven' | 'wrong' | 'reported' | 'unseen' | 'waiting';

export type StepName =
  | 'tenant'
  | 'client'
  | 'redirect'
  | 'permissions'
  | 'credential'
  | 'next-credential'
  | 'sign-in'
  | 'mailbox';

/** Who does a step. */
export type StepDoer = 'you' | 'tenant-admin' | 'mailbox-owner';

export interface ChecklistStep {
  name: StepName;
  state: StepState;
  who: StepDoer;
  /** What was verified: permissions, accounts, addresses. */
  seen: readonly string[];
}

/** The accounts and mailboxes that use a provider. */
export interface ProviderFacts {
  /** `asApp`: app-only access, which does not use the redirect URI. */
  accounts: readonly { user: string; works: boolean; scopes: readonly string[]; asApp: boolean }[];
  mailboxes: readonly { address: string; opened: boolean }[];
}

/** The steps from an app registration to a working mailbox, each with its state. Pure. */
export function checklistOf(provider: Provider, facts: ProviderFacts): ChecklistStep[] {
  const { preflight, nextCredential } = provider;
  const people = facts.accounts.filter(({ asApp }) => !asApp);
  const signedIn = people.length > 0;
  const works = facts.accounts.filter((account) => account.works);
  // A completed sign-in proves everything that a preflight checks.
  const found = (proof: Proof | undefined): StepState => stateOf(proof, works.length > 0);
  const granted = protocolsIn(people.flatMap(({ scopes }) => scopes));
  const opened = facts.mailboxes.filter((mailbox) => mailbox.opened);
  const step = (
    name: StepName,
    who: StepDoer,
    state: StepState,
    seen: readonly string[] = [],
  ): ChecklistStep => ({ name, who, state, seen });
  return [
    step('tenant', 'you', found(preflight?.tenant)),
    step('client', 'you', found(preflight?.client)),
    step('redirect', 'you', signedIn || provider.redirectSeenAt !== undefined ? 'proven' : 'unseen'),
    step(
      'permissions',
      'tenant-admin',
      permissionState(
        provider,
        waysOf(provider).every((way) => granted.includes(way)),
        signedIn,
      ),
      granted,
    ),
    step('credential', 'you', credentialState(provider, works.length > 0)),
    ...(nextCredential === undefined
      ? []
      : [step('next-credential', 'you', nextState(nextCredential, preflight))]),
    step(
      'sign-in',
      'mailbox-owner',
      signInState(facts),
      facts.accounts.map(({ user }) => user),
    ),
    step(
      'mailbox',
      'you',
      opened.length > 0 ? 'proven' : facts.accounts.length > 0 ? 'waiting' : 'unseen',
      opened.map(({ address }) => address),
    ),
  ];
}

/** How many steps are done, of how many. Pure. */
export function progressOf(steps: readonly ChecklistStep[]): { done: number; all: number } {
  return { done: steps.filter(({ state }) => state === 'proven').length, all: steps.length };
}

function stateOf(proof: Proof | undefined, provenOtherwise: boolean): StepState {
  if (proof === 'proven' || proof === 'wrong') return proof;
  return provenOtherwise ? 'proven' : 'unseen';
}

// Entra's errors for a certificate or federated credential that the app registration does not have (yet):
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
const NOT_THERE_YET = /\bAADSTS(?:700027|70021|700211|700212|700213)\b/;

/** True for a certificate or managed identity that is not entered at the provider yet. Pure. */
const waitsThere = (credential: Credential, evidence: string | undefined): boolean =>
  credential.kind !== 'secret' && NOT_THERE_YET.test(evidence ?? '');

function credentialState({ credential, preflight }: Provider, works: boolean): StepState {
  if (credential === undefined) return 'waiting';
  // One that has worked before and is missing now has failed.
  if (preflight?.credential === 'wrong' && !works && waitsThere(credential, preflight.evidence))
    return 'waiting';
  return stateOf(preflight?.credential, works);
}

function nextState(next: Credential, preflight: Provider['preflight']): StepState {
  const waits = preflight?.next === 'wrong' && waitsThere(next, preflight.nextEvidence);
  return waits ? 'waiting' : stateOf(preflight?.next, false);
}

function permissionState(provider: Provider, granted: boolean, signedIn: boolean): StepState {
  // Anyone can open the redirect of an admin consent link; only a token proves the consent.
  if (!signedIn) return provider.approvedAt === undefined ? 'unseen' : 'reported';
  // A custom provider's scopes have no known meaning: a completed sign-in is all that can be verified.
  if (traitsOf(provider).settingsFrom === 'admin') return 'proven';
  return granted ? 'proven' : 'unseen';
}

function signInState({ accounts }: ProviderFacts): StepState {
  if (accounts.length === 0) return 'waiting';
  return accounts.every(({ works }) => works) ? 'proven' : 'wrong';
}
