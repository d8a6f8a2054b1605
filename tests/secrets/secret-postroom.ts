import { type AlertService, createAlertService } from '../../shared/alerts/alert-service.ts';
import type { Notification } from '../../shared/alerts/notification.ts';
import { createMailboxStore } from '../../shared/mailboxes/mailbox-store.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { secretName } from '../../shared/providers/credential.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import { createProviderStore } from '../../shared/providers/provider-store.ts';
import { type ReviewDeps, reviewSecrets } from '../../shared/secrets/review-secrets.ts';
import { createRotationStore } from '../../shared/secrets/rotation-store.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { MemoryTables } from '../harness/memory/memory-tables.ts';
import { MemoryVault } from '../harness/memory/memory-vault.ts';

export const CANARY = 'canary~value-of-a-secret';
export const PROVIDER = 'abcdefghijklmnopqrstuvwxyz';

/** An installation whose providers' secrets are watched, and what people hear of them. */
export class SecretPostroom {
  now = Date.parse('2026-11-24T06:00:00.000Z');
  readonly seam: Seam = { call: (_point, effect) => effect(), now: () => this.now };
  readonly vault = new MemoryVault(this.seam);
  readonly tables = new MemoryTables(openSeam);
  readonly told: Notification[] = [];

  /** What a process of its own works with: nothing is remembered but what is stored. */
  process(seam: Seam = this.seam): ReviewDeps & { alerts: AlertService; deliver(): Promise<void> } {
    const tables = this.tables.behind(seam);
    const alerts = createAlertService({
      tables,
      seam,
      channels: async () => ({
        webhook: async (notification) => {
          this.told.push(notification);
        },
      }),
    });
    return {
      seam,
      vault: this.vault,
      providers: createProviderStore(tables),
      mailboxes: createMailboxStore(tables),
      rotations: createRotationStore(tables),
      alerts,
      deliver: () => alerts.deliver(),
    };
  }

  /** A provider with a client secret of this end, in vault and table. */
  async provider(expiresOn: string, id = PROVIDER, name = 'Contoso'): Promise<Provider> {
    const vaultName = secretName(id);
    const { version } = await this.vault.set(vaultName, new Secret(`${CANARY}-${id}`), {
      expiresOn,
      contentType: 'text/plain; what=oauth-client-secret',
      tags: { provider: id },
    });
    const at = new Date(this.now).toISOString();
    const provider: Provider = {
      id,
      name,
      state: 'ready',
      preset: 'microsoft',
      cloud: 'worldwide',
      tenant: '11111111-2222-4333-8444-555555555555',
      clientId: '99999999-2222-4333-8444-555555555555',
      credential: { kind: 'secret', vaultName, version, setAt: at, expiresOn },
      nextCredential: undefined,
      retired: [],
      endpoints: undefined,
      scopes: [],
      createdAt: at,
      changedAt: at,
    };
    await createProviderStore(this.tables).save(provider);
    return provider;
  }

  async mailbox(id: string, providerId = PROVIDER): Promise<void> {
    const mailbox = { ...mailboxOf({ kind: 'mark-seen' }), id, providerId, address: `${id}@contoso.example` };
    await createMailboxStore(this.tables).save(mailbox);
  }

  days(count: number): void {
    this.now += count * 86_400_000;
  }

  /** What was told, as stages. */
  stages(): string[] {
    return this.told.map(({ what, finding }) => `${what}: ${finding.stage ?? finding.kind}`);
  }
}

/** 65 days before the end at the first run. */
export async function postroomWithSecret(): Promise<SecretPostroom> {
  const postroom = new SecretPostroom();
  await postroom.provider('2027-01-28T23:59:59.000Z');
  await postroom.mailbox('support');
  return postroom;
}

/** A day: a process of its own looks at all secrets, and tells. */
export async function daily(postroom: SecretPostroom): Promise<void> {
  const process = postroom.process();
  await reviewSecrets(process);
  await process.deliver();
}
