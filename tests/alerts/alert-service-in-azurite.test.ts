import { afterAll, beforeAll } from 'vitest';
import { type RunningAzurite, startAzurite } from '../../dev/emulators/storage/azurite.ts';
import { azureTables } from '../../shared/platform/azure-tables.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import type { Tables } from '../../shared/platform/tables.ts';
import { describeAlerts } from './alerts-contract.ts';

let azurite: RunningAzurite;
beforeAll(async () => {
  azurite = await startAzurite();
});
afterAll(() => azurite.stop());

describeAlerts('in Azurite', emptyAzurite);

async function emptyAzurite(): Promise<Tables> {
  const { TableClient } = await import('@azure/data-tables');
  const options = { allowInsecureConnection: true };
  const client = TableClient.fromConnectionString(azurite.connectionString, 'Alerts', options);
  await client.createTable();
  const keys: { partitionKey: string; rowKey: string }[] = [];
  for await (const { partitionKey = '', rowKey = '' } of client.listEntities())
    keys.push({ partitionKey, rowKey });
  for (const { partitionKey, rowKey } of keys) await client.deleteEntity(partitionKey, rowKey);
  return azureTables({ kind: 'connection-string', connectionString: azurite.connectionString }, openSeam);
}
