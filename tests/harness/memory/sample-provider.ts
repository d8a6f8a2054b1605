import type { Provider } from '../../../shared/providers/provider.ts';
import { newProviderId } from '../../../shared/providers/provider-store.ts';
import { CLIENT } from '../stack/demo-directory.ts';

/** A demo provider without a credential; tests add their own. */
export const sampleProvider = (change: Partial<Provider> = {}): Provider => ({
  id: newProviderId(),
  name: 'Contoso',
  state: 'ready',
  preset: 'demo',
  cloud: 'worldwide',
  tenant: undefined,
  clientId: CLIENT,
  credential: undefined,
  nextCredential: undefined,
  retired: [],
  endpoints: undefined,
  scopes: [],
  createdAt: '2026-11-01T09:00:00.000Z',
  changedAt: '2026-11-01T09:00:00.000Z',
  ...change,
});
