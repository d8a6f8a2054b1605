import { z } from 'zod';
import { json, objectOf, oneOf, optional, recordKind, text, time } from '../platform/records.ts';
import { cloudNames } from './clouds.ts';
import type { Credential, VaultVersion } from './credential.ts';
import { preflight } from './preflight.ts';
import { type Protocol, presetNames, protocols } from './presets.ts';
import type { CustomEndpoints, Provider } from './provider.ts';

// Table Providers, PartitionKey `provider` (an installation has a handful), RowKey a random id of 128 bits.

const inVault = { vaultName: z.string(), version: z.string(), setAt: z.string() };

const credential: z.ZodType<Credential> = z.discriminatedUnion('kind', [
  z
    .object({ kind: z.literal('secret'), ...inVault, expiresOn: z.string().optional() })
    .transform((parsed) => ({ ...parsed, expiresOn: parsed.expiresOn })),
  z.object({
    kind: z.literal('certificate'),
    ...inVault,
    expiresOn: z.string(),
    certificate: z.string(),
  }),
  z.object({ kind: z.literal('federated'), setAt: z.string() }),
]);

const endpoints: z.ZodType<CustomEndpoints> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('discovery'), issuer: z.string() }),
  z.object({ kind: z.literal('manual'), authorization: z.string(), token: z.string() }),
]);

const mailHosts = z.object({
  imap: z.string().exactOptional(),
  pop3: z.string().exactOptional(),
  smtp: z.string().exactOptional(),
});

export const PROVIDERS = 'provider';
export const providerKind = recordKind<Provider>()({
  table: 'Providers',
  version: 1,
  keysOf: ({ id }) => ({ partitionKey: PROVIDERS, rowKey: id }),
  fromKeys: ({ rowKey }) => ({ id: rowKey }),
  columns: {
    name: text,
    state: oneOf('draft', 'ready'),
    preset: oneOf(...presetNames),
    cloud: oneOf(...cloudNames),
    tenant: optional(text),
    clientId: text,
    credential: optional(json(credential)),
    nextCredential: optional(json(credential)),
    retired: json(z.array(objectOf<VaultVersion>({ vaultName: z.string(), version: z.string() }))),
    endpoints: optional(json(endpoints)),
    mailHosts: optional(json(mailHosts)),
    scopes: json(z.array(z.string())),
    ways: optional(json<readonly Protocol[]>(z.array(z.enum(protocols)))),
    preflight: optional(json(preflight)),
    redirectSeenAt: optional(time),
    approvedAt: optional(time),
    createdAt: time,
    changedAt: time,
  },
});
