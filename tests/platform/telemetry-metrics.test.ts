/** The metrics of the installation's own upkeep, as Application Insights gets them from services that do their real work. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { makeCertificates } from '../../dev/emulators/certificates.ts';
import { startMailServer } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServer } from '../../dev/emulators/mail/mail-world.ts';
import { measureQuarantine } from '../../shared/intake/measure-quarantine.ts';
import { createQuarantineStore } from '../../shared/intake/quarantine-store.ts';
import { openTelemetry } from '../../shared/platform/open-telemetry.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { type MetricName, metrics, sendTelemetryTo, telemetry } from '../../shared/platform/telemetry.ts';
import { reviewSecrets } from '../../shared/secrets/review-secrets.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { AT_MAIL, connectSupport, type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';
import { type Ingestion, startIngestion } from '../harness/stack/ingestion.ts';

const SUPPORT = 'support@contoso.example';
let ingestion: Ingestion;
let app: DemoApp;
let mail: MailServer;
let folder: string;
let trusted: readonly string[];

beforeAll(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  [ingestion, app] = await Promise.all([startIngestion(), startDemoApp()]);
  trusted = getCACertificates('default');
  setDefaultCACertificates([...trusted, ingestion.ca]);
  folder = await mkdtemp(join(tmpdir(), 'postroom-metrics-'));
  mail = await startMailServer({
    kind: 'npm',
    stateDir: folder,
    tls: await makeCertificates(),
    issuer: app.idp.tenants[0]?.accessTokenIssuer ?? '',
    signingKey: app.idp.signingKey,
    mailboxes: [{ address: SUPPORT }],
  });
  const { connectionString } = ingestion;
  sendTelemetryTo(await openTelemetry({ kind: 'azure-monitor', connectionString, identity: undefined }));
});
afterEach(() => {
  ingestion.envelopes.length = 0;
});
afterAll(async () => {
  sendTelemetryTo(undefined);
  setDefaultCACertificates([...trusted]);
  await Promise.all([mail?.stop(), app?.stop(), ingestion?.stop()]);
  await rm(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

/** What arrived under the name of a metric since the last test. */
async function measured(
  name: MetricName,
): Promise<{ value: number | undefined; [field: string]: unknown }[]> {
  await telemetry.flush();
  return ingestion.envelopes
    .filter(({ data }) => data.baseData.metrics?.[0]?.name === metrics[name].name)
    .map(({ data }) => ({ value: data.baseData.metrics?.[0]?.value, ...data.baseData.properties }));
}

test('a token refresh is counted by its result', async () => {
  const { account } = await connectSupport(app);
  const { accessTokens } = app.services;
  const refuse = async () => {
    const first = await accessTokens.get(account, AT_MAIL);
    const rejected = first.kind === 'token' ? first.token.expose() : '';
    return accessTokens.get(account, { ...AT_MAIL, rejected });
  };
  expect(await refuse()).toMatchObject({ kind: 'token' });
  expect(await measured('refreshes')).toEqual([{ value: 1, result: 'refreshed' }]);
  app.idp.revokeUser(SUPPORT);
  await refuse();
  expect(await measured('refreshes')).toContainEqual({ value: 1, result: 'action-required' });
});

test('a sent email is counted, and so is one whose recipient the server refuses; neither with an address', async () => {
  const url = new Secret(`smtp://localhost:${mail.drop.port}`);
  await app.services.vault.set('smtp-relay-url', url, { contentType: 'text/plain' });
  const route = { kind: 'relay' } as const;
  const send = (to: string, id: string) =>
    app.services.mailSender.send(route, {
      from: { address: SUPPORT, name: 'Postroom' },
      to: [to],
      subject: 'Hello',
      text: 'Hello',
      messageId: `<${id}@desk.example>`,
    });
  expect(await send(SUPPORT, 'one')).toMatchObject({ kind: 'sent' });
  expect(await send('nobody@elsewhere.example', 'two')).toMatchObject({ kind: 'refused' });
  expect(
    (await measured('sends')).sort((a, b) => String(a['result']).localeCompare(String(b['result']))),
  ).toEqual([
    { value: 1, result: 'refused' },
    { value: 1, result: 'sent' },
  ]);
  expect(ingestion.said()).not.toContain('@');
});

test('the quarantine of each mailbox is measured once an hour, without skipped messages', async () => {
  const { mailboxes } = app.services;
  for (let count = 0; count < 61; count += 1)
    await mailboxes.save({ ...mailboxOf({ kind: 'mark-seen' }), id: `box${String(count).padStart(2, '0')}` });
  const quarantine = createQuarantineStore(app);
  const entry = { reason: 'too odd', at: '2026-11-24T10:00:00.000Z', from: undefined, subject: undefined };
  const kept = { ...entry, size: 1, rawBlob: undefined, kind: 'quarantined' } as const;
  await quarantine.put('box00', [
    { ...kept, contentKey: 'a', place: '1' },
    { ...kept, contentKey: 'b', place: '2' },
    { ...kept, kind: 'skipped', contentKey: 'c', place: '3' },
  ]);
  const hour = Date.parse('2026-11-24T10:00:00Z');
  const at = (minute: number) => ({ mailboxes, quarantine, seam: { now: () => hour + minute * 60_000 } });
  await measureQuarantine(at(0));
  // The first and the sixty-first have the same turn.
  expect(await measured('quarantineSize')).toEqual([
    { value: 2, mailbox: 'box00' },
    { value: 0, mailbox: 'box60' },
  ]);
  for (let minute = 1; minute < 60; minute += 1) await measureQuarantine(at(minute));
  const seen = new Set((await measured('quarantineSize')).map(({ mailbox }) => mailbox));
  expect(seen.size).toBe(61);
});

test('the days that a secret has left are measured by its provider', async () => {
  await connectSupport(app);
  const providers = await app.services.providers.list();
  await reviewSecrets({ ...app.services, seam: { now: () => Date.parse('2029-12-20T12:00:00Z') } });
  // Entered for the first of January 2030, whose end counts.
  expect(await measured('expiryDays')).toEqual(providers.map(({ id }) => ({ value: 12, provider: id })));
});
