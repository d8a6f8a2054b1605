import { azureBlobs } from '../shared/platform/azure-blobs.ts';
import { azureQueues } from '../shared/platform/azure-queues.ts';
import { azureTables } from '../shared/platform/azure-tables.ts';
import { azureVault } from '../shared/platform/azure-vault.ts';
import type { Blobs } from '../shared/platform/blobs.ts';
import { type Config, readConfig } from '../shared/platform/config.ts';
import type { Queues } from '../shared/platform/queues.ts';
import { openSeam, type Seam } from '../shared/platform/seam.ts';
import type { Tables } from '../shared/platform/tables.ts';
import type { Vault } from '../shared/platform/vault.ts';

/** Everything the triggers and pages work with, built once a process at the first use. */
export interface Services {
  config: Config;
  seam: Seam;
  tables: Tables;
  blobs: Blobs;
  queues: Queues;
  vault: Vault;
}

let cached: Services | undefined;

/** Reads the settings at the first call, not at load: on Azure the environment arrives after the code. */
export function services(): Services {
  cached ??= buildServices(readConfig(), openSeam);
  return cached;
}

export function buildServices(config: Config, seam: Seam): Services {
  return {
    config,
    seam,
    tables: azureTables(config.storage, seam),
    blobs: azureBlobs(config.storage, seam),
    queues: azureQueues(config.storage, seam),
    vault: azureVault(config, seam),
  };
}
