import { randomBytes } from 'node:crypto';
import { PostroomError } from '../platform/errors.ts';
import { listAll, type Row, type Tables } from '../platform/tables.ts';
import { readRows } from '../platform/unreadable-rows.ts';
import { base32 } from './base32.ts';
import { type CloudName, isCloudName } from './clouds.ts';
import { columnsOfCredentials, credentialsOfRow } from './credential-columns.ts';
import { preflightOf } from './preflight.ts';
import { isPresetName, type MailHosts, type PresetName } from './presets.ts';
import type { CustomEndpoints, Provider } from './provider.ts';

// Table Providers: PartitionKey `provider` (an installation has a handful), RowKey a random id of 128 bits.
const PARTITION = 'provider';

export interface ProviderStore {
  /** All of them, by name. */
  list(): Promise<Provider[]>;
  get(id: string): Promise<Provider | undefined>;
  save(provider: Provider): Promise<void>;
  /**
   * Writes what `change` makes of the newest row, also while others write; `change` may run several times. Undefined:
   * the provider is gone, or `change` answered undefined.
   */
  change(id: string, change: (provider: Provider) => Provider | undefined): Promise<Provider | undefined>;
  remove(id: string): Promise<void>;
}

/** A new id: 128 random bits, 26 characters. */
export const newProviderId = (): string => base32(randomBytes(16));

/** Whether a text can be the id of a provider at all. */
export const isProviderId = (text: string): boolean => /^[a-z2-7]{26}$/.test(text);

export function createProviderStore(tables: Tables): ProviderStore {
  const table = tables.open('Providers');
  return {
    async list() {
      const rows = await listAll(table, PARTITION);
      const place = { table: 'Providers', partition: PARTITION } as const;
      return readRows(tables, place, rows, providerOf).sort((a, b) => a.name.localeCompare(b.name));
    },
    async get(id) {
      // An id comes from an address: what is not one of ours is never sent to the table.
      if (!isProviderId(id)) return undefined;
      const row = await table.get(PARTITION, id);
      return row === undefined ? undefined : providerOf(row);
    },
    async save(provider) {
      await table.commit(PARTITION, [{ kind: 'put', row: rowOf(provider) }]);
    },
    async change(id, change) {
      for (;;) {
        const row = await table.get(PARTITION, id);
        if (row === undefined) return undefined;
        const next = change(providerOf(row));
        if (next === undefined) return undefined;
        const written = await table.commit(PARTITION, [
          { kind: 'replace', row: rowOf(next), etag: row.etag ?? '' },
        ]);
        if (written.ok) return next;
      }
    },
    async remove(id) {
      await table.commit(PARTITION, [{ kind: 'remove', rowKey: id }]);
    },
  };
}

function rowOf(provider: Provider): Row {
  const { endpoints } = provider;
  return {
    partitionKey: PARTITION,
    rowKey: provider.id,
    name: provider.name,
    state: provider.state,
    preset: provider.preset,
    cloud: provider.cloud,
    tenant: provider.tenant,
    clientId: provider.clientId,
    ...columnsOfCredentials(provider),
    issuer: endpoints?.kind === 'discovery' ? endpoints.issuer : undefined,
    authorizationEndpoint: endpoints?.kind === 'manual' ? endpoints.authorization : undefined,
    tokenEndpoint: endpoints?.kind === 'manual' ? endpoints.token : undefined,
    imapHost: provider.mailHosts?.imap,
    pop3Host: provider.mailHosts?.pop3,
    smtpHost: provider.mailHosts?.smtp,
    scopes: provider.scopes.join(' '),
    preflight: JSON.stringify(provider.preflight),
    redirectSeenAt: provider.redirectSeenAt,
    approvedAt: provider.approvedAt,
    createdAt: provider.createdAt,
    changedAt: provider.changedAt,
  };
}

function providerOf(row: Row): Provider {
  return {
    id: row.rowKey,
    name: text(row, 'name'),
    state: row['state'] === 'draft' ? 'draft' : 'ready',
    preset: presetNameOf(row),
    cloud: cloudOf(row),
    tenant: optional(row, 'tenant'),
    clientId: text(row, 'clientId'),
    ...credentialsOfRow(row),
    endpoints: endpointsOf(row),
    mailHosts: mailHostsOf(row),
    scopes: text(row, 'scopes')
      .split(' ')
      .filter((scope) => scope !== ''),
    preflight: preflightOf(row['preflight']),
    redirectSeenAt: optional(row, 'redirectSeenAt'),
    approvedAt: optional(row, 'approvedAt'),
    createdAt: text(row, 'createdAt'),
    changedAt: text(row, 'changedAt'),
  };
}

function endpointsOf(row: Row): CustomEndpoints | undefined {
  const issuer = optional(row, 'issuer');
  if (issuer !== undefined) return { kind: 'discovery', issuer };
  const authorization = optional(row, 'authorizationEndpoint');
  const token = optional(row, 'tokenEndpoint');
  return authorization === undefined || token === undefined
    ? undefined
    : { kind: 'manual', authorization, token };
}

function mailHostsOf(row: Row): MailHosts | undefined {
  const [imap, pop3, smtp] = [
    optional(row, 'imapHost'),
    optional(row, 'pop3Host'),
    optional(row, 'smtpHost'),
  ];
  if (imap === undefined && pop3 === undefined && smtp === undefined) return undefined;
  return {
    ...(imap !== undefined && { imap }),
    ...(pop3 !== undefined && { pop3 }),
    ...(smtp !== undefined && { smtp }),
  };
}

function presetNameOf(row: Row): PresetName {
  const name = row['preset'];
  if (isPresetName(name)) return name;
  throw broken(row, 'preset');
}

function cloudOf(row: Row): CloudName {
  const name = row['cloud'];
  // Rows of the first release knew one cloud and have no such column.
  if (name === undefined) return 'worldwide';
  if (isCloudName(name)) return name;
  throw broken(row, 'cloud');
}

function optional(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === 'string' ? value : undefined;
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw broken(row, column);
  return value;
}

const broken = (row: Row, column: string): PostroomError =>
  new PostroomError('bad-row', `Providers/${row.rowKey}.${column} does not hold what Postroom wrote there`);
