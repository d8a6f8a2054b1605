import { openRecords } from '../platform/records.ts';
import type { Tables } from '../platform/tables.ts';
import { ROTATIONS, type Rotation, rotationKind } from './rotation-records.ts';

export interface RotationStore {
  get(providerId: string): Promise<Rotation | undefined>;
  list(): Promise<Rotation[]>;
  save(rotation: Rotation): Promise<void>;
  /** With its provider. */
  remove(providerId: string): Promise<void>;
}

/** What is kept of automatic rotation, one row a provider. Saving puts the whole row; of two at once the later one stays. */
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
