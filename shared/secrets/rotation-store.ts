import { openRecords } from '../platform/open-records.ts';
import type { Tables } from '../platform/tables.ts';
import { ROTATIONS, type Rotation, rotationKind } from './rotation-records.ts';

export interface RotationStore {
  get(providerId: string): Promise<Rotation | undefined>;
  list(): Promise<Rotation[]>;
  save(rotation: Rotation): Promise<void>;
  /** Called when the provider is removed. */
  remove(providerId: string): Promise<void>;
}

/**
 * The state of automatic rotation, one row per provider. Saving writes the whole row; the last write wins.
 */
export function createRotationStore(tables: Tables): RotationStore {
  const rotations = openRecords(tables, rotationKind);
  return {
    async get(providerId) {
      if (!/^[a-z2-7]{26}$/.test(providerId)) return undefined;
      return (await rotations.get(ROTATIONS, providerId))?.record;
    },
    list: () => rotations.list(ROTATIONS),
    save: rotations.put,
    async remove(providerId) {
      await rotations.remove(ROTATIONS, providerId);
    },
  };
}
