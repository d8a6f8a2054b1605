import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formValues } from '../../dev/form-values.ts';
import { type DemoApp, startDemoApp, Visitor } from '../harness/pages/demo-app.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';
const CLIENT_ID = '66666666-7777-8888-9999-000000000000';
let app: DemoApp;
beforeAll(async () => {
  app = await startDemoApp();
});
afterAll(() => app.stop());

/** The form as filled in by a link. */
async function linked(query: string): Promise<Record<string, string>> {
  return formValues((await new Visitor(app).get(`/providers/new?${query}`)).html);
}

describe('the link to a new provider that npm run register-app prints', () => {
  it('fills in the app registration and its managed identity', async () => {
    const ids = `tenant=${TENANT}&clientId=${CLIENT_ID}`;
    expect(await linked(`preset=microsoft&${ids}&credential=federated`)).toMatchObject({
      tenant: TENANT,
      clientId: CLIENT_ID,
      credential: 'federated',
    });
  });

  it('accepts only IDs from a link, and nothing for another kind of provider', async () => {
    const odd = 'tenant=%22%3E%3Cb%3E&clientId=Postroom&credential=none';
    expect(await linked(`preset=microsoft&${odd}`)).toMatchObject({ tenant: '', clientId: '' });
    expect(await linked(`preset=google&tenant=${TENANT}&clientId=${CLIENT_ID}`)).toMatchObject({
      clientId: '',
    });
  });
});
