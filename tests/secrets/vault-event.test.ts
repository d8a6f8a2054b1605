import { readFile } from 'node:fs/promises';
import { describe, expect, test, vi } from 'vitest';
import { reviewAll } from '../../functions/triggers/review-secrets.ts';
import { takeEvents } from '../../functions/triggers/vault-events.ts';
import { createAlertStore } from '../../shared/alerts/alert-store.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { recheckSecrets, reviewSecrets } from '../../shared/secrets/review-secrets.ts';
import { readVaultEvents } from '../../shared/secrets/vault-event.ts';
import { connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';
import { CANARY, PROVIDER, SecretPostroom } from './secret-postroom.ts';

const data = {
  Id: `https://vault.vault.azure.net/secrets/provider-${PROVIDER}/ee059b2bb5bc48398a53b168c6cdcb10`,
  VaultName: 'vault',
  ObjectType: 'Secret',
  ObjectName: `provider-${PROVIDER}`,
  Version: 'ee059b2bb5bc48398a53b168c6cdcb10',
  NBF: null,
  EXP: 1826064000,
};
/** As this installation's subscription asks for it: https://learn.microsoft.com/azure/event-grid/event-schema-key-vault */
const cloudEvent = {
  id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
  source: '/subscriptions/x/resourceGroups/y/providers/Microsoft.KeyVault/vaults/vault',
  subject: `provider-${PROVIDER}`,
  type: 'Microsoft.KeyVault.SecretNearExpiry',
  time: '2026-11-24T01:08:33.1036736Z',
  specversion: '1.0',
  data,
};
const gridEvent = {
  id: cloudEvent.id,
  topic: cloudEvent.source,
  subject: cloudEvent.subject,
  eventType: 'Microsoft.KeyVault.SecretExpired',
  eventTime: cloudEvent.time,
  dataVersion: '1',
  metadataVersion: '1',
  data,
};
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');

describe('an event of the vault', () => {
  test.each<[string, unknown, 'near-expiry' | 'expired']>([
    ['a CloudEvent', cloudEvent, 'near-expiry'],
    ['an event of Event Grid’s own schema', gridEvent, 'expired'],
    ['a list of one', [gridEvent], 'expired'],
    ['text', JSON.stringify(cloudEvent), 'near-expiry'],
    ['base64 of it', base64(gridEvent), 'expired'],
    [
      'names in small letters, one with a space at the end, as Microsoft’s page has them',
      { ...gridEvent, data: { 'objectname ': ` provider-${PROVIDER} `, objecttype: 'secret' } },
      'expired',
    ],
    [
      'a type in other letters',
      { ...cloudEvent, type: 'microsoft.keyvault.SECRETNEAREXPIRY ' },
      'near-expiry',
    ],
    ['no name in its data', { ...cloudEvent, data: {} }, 'near-expiry'],
  ])('is read from %s', (_form, message, kind) => {
    expect(readVaultEvents(message)).toEqual([{ kind, secret: `provider-${PROVIDER}` }]);
  });

  test.each<[string, unknown]>([
    ['of a new version', { ...cloudEvent, type: 'Microsoft.KeyVault.SecretNewVersionCreated' }],
    ['of a key', { ...cloudEvent, data: { ...data, ObjectType: 'Key' } }],
    ['of a certificate', { ...gridEvent, eventType: 'Microsoft.KeyVault.CertificateNearExpiry' }],
    ['with a name that no secret can have', { ...cloudEvent, data: { ...data, ObjectName: '../x' } }],
    ['that is none', { hello: 'world' }],
    ['that is a number', 7],
    ['that is nothing', null],
    ['that is text', 'not json at all'],
  ])('%s is ignored', (_case, message) => {
    expect(readVaultEvents(message)).toEqual([]);
  });
});

/** An installation of services, whose provider's secret ends in five days. */
async function postroomNearTheEnd(): Promise<DemoApp & { providerId: string }> {
  const app = await startDemoApp();
  const { providerId } = await connectSupport(app);
  const provider = await app.services.providers.get(providerId);
  if (provider?.credential?.kind !== 'secret') throw new TypeError();
  const { vaultName, version } = provider.credential;
  await app.vault.setExpiry(vaultName, version, new Date(Date.now() + 5.5 * 86_400_000).toISOString());
  return Object.assign(app, { providerId });
}

describe('the queue of vault events', () => {
  test('ten times the same event opens one alert, whatever the case of the name', async () => {
    const postroom = await postroomNearTheEnd();
    const event = {
      ...cloudEvent,
      data: { ...data, ObjectName: `Provider-${postroom.providerId}`.toUpperCase() },
    };
    for (let time = 0; time < 5; time += 1) await takeEvents(postroom.services, event);
    await Promise.all(Array.from({ length: 5 }, () => takeEvents(postroom.another(), base64(event))));
    const open = await postroom.services.alerts.open();
    expect(
      open.map(({ findings, notificationCount }) => [findings.review?.stage, notificationCount]),
    ).toEqual([['7 days', 1]]);
    await postroom.stop();
  });

  test('a foreign secret and an invalid event have no effect', async () => {
    const postroom = await postroomNearTheEnd();
    await takeEvents(postroom.services, { ...cloudEvent, data: { ...data, ObjectName: 'somebody-elses' } });
    await takeEvents(postroom.services, 'garbage');
    expect(await postroom.services.alerts.open()).toEqual([]);
    await postroom.stop();
  });
});

describe('the daily run', () => {
  test('reports the same as the event, once, and records its heartbeat', async () => {
    const postroom = await postroomNearTheEnd();
    await takeEvents(postroom.services, {
      ...cloudEvent,
      data: { ...data, ObjectName: `provider-${postroom.providerId}` },
    });
    await reviewAll(postroom.another());
    expect((await postroom.services.alerts.open()).map(({ notificationCount }) => notificationCount)).toEqual(
      [1],
    );
    expect((await postroom.services.heartbeats.all()).has('reviewSecrets')).toBe(true);
    await postroom.stop();
  });

  test('does the other parts when one fails, reports it, and records no heartbeat', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    const postroom = await postroomNearTheEnd();
    const vault = Object.create(postroom.vault, {
      list: { value: () => Promise.reject(new Error('vault is away')) },
    }) as DemoApp['vault'];
    const broken = Object.assign({}, postroom.services, { vault });
    await expect(reviewAll(broken)).rejects.toThrow();
    expect(errors.mock.calls.join()).toContain('part of the review failed');
    expect((await postroom.services.heartbeats.all()).has('reviewSecrets')).toBe(false);
    errors.mockRestore();
    await postroom.stop();
  });
});

test('the alert of a replaced secret is resolved within a minute, not the next morning', async () => {
  const postroom = new SecretPostroom();
  await postroom.provider('2026-12-01T00:00:00.000Z');
  await postroom.provider('2026-12-02T00:00:00.000Z', 'b'.repeat(26), 'Fabrikam');
  const process = postroom.process();
  await reviewSecrets(process);
  await postroom.provider('2028-12-01T00:00:00.000Z');
  const open = () => createAlertStore(postroom.tables).current();
  await recheckSecrets(process);
  expect((await open()).open.map(({ findings }) => findings.review?.subject.name)).toEqual(['Fabrikam']);
});

test('no value of a secret is in any list, log, alert or row', async () => {
  const said: string[] = [];
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation((...line: unknown[]) => void said.push(line.join(' ')));
  const postroom = await postroomNearTheEnd();
  await postroom.vault.set('alert-webhook-key', new Secret(CANARY), {
    contentType: 'text/plain',
    expiresOn: new Date(Date.now() + 86_400_000).toISOString(),
  });
  const provider = await postroom.services.providers.get(postroom.providerId);
  if (provider?.credential?.kind !== 'secret') throw new TypeError();
  const value = await postroom.vault.get(provider.credential.vaultName, provider.credential.version);
  const canary = value?.value.expose() ?? 'nothing';
  await reviewAll(postroom.services);
  await takeEvents(postroom.services, base64(cloudEvent));
  const listed = JSON.stringify([
    await postroom.vault.list(),
    await postroom.vault.versionsOf(provider.credential.vaultName),
    await postroom.vault.listDeleted(),
    said,
    ['Alerts', 'Providers', 'Activity', 'Audit'].map((name) => postroom.tables.dump(name as 'Alerts')),
  ]);
  vi.restoreAllMocks();
  expect(listed).not.toContain(canary);
  expect(listed).not.toContain(CANARY);
  expect(listed).toContain('alert-webhook-key');
  // The canary is worth something only where the value is what is looked for.
  expect(canary.length).toBeGreaterThan(10);
  expect(await readFile(import.meta.filename, 'utf8')).not.toContain(canary);
  await postroom.stop();
});
