import { createAccountStore } from '../../shared/accounts/account-store.ts';
import type { OAuthClient } from '../../shared/accounts/oauth-client.ts';
import { createTokenCipher } from '../../shared/accounts/token-encryption.ts';
import { createAuditStore } from '../../shared/audit/audit-store.ts';
import { createApprovalStore } from '../../shared/consent/approval-store.ts';
import { createConsentStore } from '../../shared/consent/consent-store.ts';
import { createInvitationStore } from '../../shared/consent/invitation-store.ts';
import { createSetUpApprovalStore } from '../../shared/consent/set-up-approval-store.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import type { Seam, SeamPoint } from '../../shared/platform/seam.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';
import { sampleProvider } from '../harness/memory/sample-provider.ts';
import { oauthAnswers } from '../harness/oauth-answers.ts';
import { NOW } from './sample-attempt.ts';

/** Everything that a sign-in needs, in memory: a fixed clock, and a provider that responds as a test says. */
export async function memoryConsents(
  answers: Partial<OAuthClient> = {},
  change: Partial<Provider> = { preset: 'microsoft', tenant: 'contoso.example' },
) {
  const state = { now: NOW, points: [] as SeamPoint[], isVaultAway: false };
  const hooks = { before: async (_point: SeamPoint): Promise<void> => {} };
  const seam: Seam = {
    now: () => state.now,
    call: async (point, effect) => {
      state.points.push(point);
      if (state.isVaultAway && point.startsWith('vault.')) throw new PostroomError('key-vault', 'Away.');
      await hooks.before(point);
      return effect();
    },
  };
  const tables = new MemoryTables(seam);
  const vault = new MemoryVault(seam);
  const provider = sampleProvider({ id: 'p'.repeat(26), ...change });
  const deps = {
    config: { publicUrl: 'https://desk.example', local: false, demo: undefined },
    seam,
    vault,
    sealer: createTokenCipher(vault, seam),
    providers: createProviderStore(tables),
    accounts: createAccountStore(tables),
    mailboxes: createMailboxStore(tables),
    consents: createConsentStore(tables),
    invitations: createInvitationStore(tables),
    approvals: createApprovalStore(tables),
    setUpApprovals: createSetUpApprovalStore(tables),
    audit: createAuditStore(tables),
    oauth: oauthAnswers(answers),
  };
  await deps.providers.save(provider);
  return { deps, provider, state, hooks, tables };
}
