import { BlobServiceClient } from '@azure/storage-blob';

/** Longest time without a change while no fetch runs. A running fetch is awaited, however long it takes. */
const IDLE_LIMIT_MS = 150_000;

/**
 * True when waiting for a fetch has become pointless. Times in milliseconds since the epoch. Pure.
 * @param progressAt when a row last changed
 * @param atWorkAt when a fetch was last seen running
 */
export function isStalled(
  now: number,
  { progressAt, atWorkAt }: { progressAt: number; atWorkAt: number },
): boolean {
  return now - Math.max(progressAt, atWorkAt) >= IDLE_LIMIT_MS;
}

/**
 * True while a run of the app has the lease of a mailbox, which means that it is fetching it. Reads the
 * service directly, because a message that takes long to read changes no row meanwhile.
 * @param connectionString of Azurite
 */
export async function isFetching(connectionString: string, mailboxId: string): Promise<boolean> {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  const blob = service.getContainerClient('postroom').getBlobClient(`lease/${mailboxId}`);
  if (!(await blob.exists())) return false;
  return (await blob.getProperties()).leaseState === 'leased';
}
