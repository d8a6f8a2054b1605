/** No change without its audit entry: nothing is changed while the entry cannot be written. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createInvitation, revokeInvitation } from '../../functions/use-cases/invite-owner.ts';
import { replaceEncryptionKey } from '../../functions/use-cases/replace-encryption-key.ts';
import { setTicketStatus } from '../../functions/use-cases/set-ticket-status.ts';
import { encryptionKeyName } from '../../shared/accounts/token-encryption.ts';
import type { ConnectRequest } from '../../shared/consent/consent.ts';
import { stateOfInvitation } from '../../shared/consent/invitation.ts';
import { PostroomError } from '../../shared/platform/errors.ts';
import { fillPostroom } from '../harness/memory/sample-mail.ts';
import { type DemoApp, startDemoApp } from '../harness/pages/demo-app.ts';
import { NOW, samplePostroom } from '../harness/pages/sample-postroom.ts';

const ALEX = { id: 'alex', name: 'Alex' };
const DEMO = { name: 'Demo' };
const request: ConnectRequest = {
  providerId: 'a'.repeat(26),
  address: 'support@contoso.example',
  signIn: 'support@contoso.example',
  shared: false,
  chooseAccount: false,
  protocols: ['imap'],
  reconnect: undefined,
  replacement: undefined,
};

let app: DemoApp;
beforeAll(async () => {
  app = await startDemoApp();
});
afterAll(() => app.stop());

/** The same services, with an audit log that cannot be written. */
const withoutAudit = <Services extends { audit: object }>(services: Services): Services => ({
  ...services,
  audit: {
    ...services.audit,
    record: () => Promise.reject(new PostroomError('table-storage', 'The audit log is unavailable.')),
  },
});

test('an invitation is not created', async () => {
  const before = await app.services.invitations.list();
  await expect(createInvitation(withoutAudit(app.services), request, DEMO, ALEX)).rejects.toThrow(
    'audit log',
  );
  expect(await app.services.invitations.list()).toEqual(before);
});

test('an invitation is not revoked, and one that is not open creates no entry', async () => {
  const { invitation } = await createInvitation(app.services, request, DEMO, ALEX);
  const { key } = invitation;
  const state = async () => {
    const stored = await app.services.invitations.get(key);
    return stored && stateOfInvitation(stored.invitation, app.services.seam.now());
  };
  await expect(revokeInvitation(withoutAudit(app.services), key, ALEX)).rejects.toThrow('audit log');
  expect(await state()).toBe('open');
  expect(await revokeInvitation(app.services, key, ALEX)).toBe(true);
  expect(await state()).toBe('revoked');
  expect(await revokeInvitation(withoutAudit(app.services), key, ALEX)).toBe(false);
});

test('the encryption key is not replaced', async () => {
  const versions = async () => (await app.services.vault.versionsOf(encryptionKeyName)).length;
  const before = await versions();
  await expect(replaceEncryptionKey(withoutAudit(app.services), ALEX)).rejects.toThrow('audit log');
  expect(await versions()).toBe(before);
  await replaceEncryptionKey(app.services, ALEX);
  expect(await versions()).toBe(before + 1);
});

test('a ticket is not closed, and a closed one needs no entry', async () => {
  const postroom = samplePostroom();
  const { conversation: id } = await fillPostroom(postroom);
  const services = {
    audit: postroom.audit,
    tickets: postroom.tickets,
    seam: { ...app.services.seam, now: () => NOW },
  };
  const close = { status: 'closed', action: 'closed', by: ALEX } as const;
  const status = async () => (await postroom.tickets.read(id))?.ticket.status;
  await expect(setTicketStatus(withoutAudit(services), id, close)).rejects.toThrow('audit log');
  expect(await status()).toBe('open');
  expect(await setTicketStatus(services, id, close)).toBe('done');
  expect(await status()).toBe('closed');
  expect(await setTicketStatus(withoutAudit(services), id, close)).toBe('done');
  expect(await setTicketStatus(services, 'unknown', close)).toBe('missing');
});
