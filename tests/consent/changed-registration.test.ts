import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Provider } from '../../shared/providers/provider.ts';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const SUPPORT = 'support@contoso.example';
const OTHER = '99999999-8888-4777-8666-555555555555';

let app: DemoApp;
let visitor: Visitor;
let providerId: string;

beforeAll(async () => {
  app = await startDemoApp();
  visitor = new Visitor(app);
});
afterAll(() => app.stop());

const change = (changed: Partial<Provider>): Promise<unknown> =>
  app.services.providers.change(providerId, (current) => ({ ...current, ...changed }));

it('cancels a pending consent when the provider becomes another registration: no code or verifier is sent', async () => {
  providerId = await visitor.addDemoProvider();
  const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
  await change({ clientId: OTHER });
  const asked = app.idp.tokenRequests().length;
  const reply = await visitor.get(callback);
  expect(reply).toMatchObject({ status: 400, title: 'The provider was changed in the meantime' });
  expect(reply.html).toContain('Start the sign-in again');
  expect(app.idp.tokenRequests()).toHaveLength(asked);
  expect(await app.services.accounts.listOf(providerId)).toEqual([]);
  // Used once: the same browser is shown the same result again, and nothing is sent.
  expect((await visitor.get(callback)).title).toBe('The provider was changed in the meantime');
  expect(app.idp.tokenRequests()).toHaveLength(asked);
});

it('redirects only to the endpoints of the registration that the sign-in was started for', async () => {
  providerId = await visitor.addDemoProvider();
  const started = await visitor.post(`/providers/${providerId}/connect`, { who: 'self', address: SUPPORT });
  await change({ clientId: OTHER });
  expect((await visitor.get(started.location ?? '')).html).not.toContain('http-equiv="refresh"');
});

it('continues a consent if only fields were changed that no token depends on', async () => {
  providerId = await visitor.addDemoProvider();
  const { callback } = await visitor.leave(providerId, { address: SUPPORT }, SUPPORT);
  await change({ name: 'Renamed', changedAt: '2026-11-28T09:00:00.000Z' });
  expect((await visitor.get(callback)).location).toMatch(/^\/mailboxes\/new\?account=/);
});
