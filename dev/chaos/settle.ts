import { setTimeout as pause } from 'node:timers/promises';
import type { InboxTruth } from './inbox-truth.ts';
import type { ChaosOptions } from './options.ts';
import { isOfLostMessage, placeName, type StoredRow } from './records.ts';
import type { StormRecord } from './storm.ts';
import type { ChaosWorld } from './world.ts';

export interface Settled {
  settled: boolean;
  seconds: number;
  /** The remaining work, in sentences; empty when settled. */
  left: string[];
}

const LOOK_MS = 4_000;
/** Number of consecutive checks that must find nothing left. */
const QUIET_LOOKS = 2;
const TELL_MS = 60_000;

/** Waits until the app has recovered automatically: everything stored, everything marked, nothing open. */
export async function settle(
  world: ChaosWorld,
  truth: InboxTruth,
  { restoredFrom }: Pick<StormRecord, 'restoredFrom'>,
  options: Pick<ChaosOptions, 'cutPauses' | 'settleMinutes'>,
  progress: (text: string) => void,
): Promise<Settled> {
  const began = Date.now();
  const end = began + options.settleMinutes * 60_000;
  let notifiedAt = began;
  let quiet = 0;
  for (;;) {
    await pause(LOOK_MS);
    if (options.cutPauses) await world.records.cutPauses();
    const left = await whatIsLeft(world, truth, restoredFrom).catch((error: unknown) => [String(error)]);
    quiet = left.length === 0 ? quiet + 1 : 0;
    const seconds = Math.round((Date.now() - began) / 1000);
    if (quiet >= QUIET_LOOKS) return { settled: true, seconds, left };
    if (Date.now() > end) return { settled: false, seconds, left };
    if (Date.now() - notifiedAt > TELL_MS) {
      notifiedAt = Date.now();
      progress(`After ${seconds} s: ${left.join(', ')}.`);
    }
  }
}

/** The alert of unimported email stays open until a person has handled each email. */
const needsPerson = (row: StoredRow): boolean => String(row['key']).startsWith('quarantine-grown|');

async function whatIsLeft(
  world: ChaosWorld,
  truth: InboxTruth,
  restoredFrom: ReadonlyMap<string, number>,
): Promise<string[]> {
  const { records } = world;
  let unread = 0;
  const places: string[] = [];
  // An alert about refused marking is resolved when the server marks another email. None is delivered at this stage.
  const waitForEmail = new Set<string>();
  for (const box of world.boxes) {
    const { uidValidity, all, seen } = await truth.look(box);
    unread += all.length - seen.length;
    if (all.length === seen.length) waitForEmail.add(`marking-refused|mailbox|${box.id}`);
    places.push(...all.map((uid) => placeName(box.id, uidValidity, uid)));
  }
  const [stored, ledger, state, alerts] = await Promise.all([
    records.byPlace(),
    records.rows('Ledger'),
    records.rows('MailboxState'),
    records.rows('Alerts'),
  ]);
  const counts = {
    unread,
    'not stored': places.filter((place) => !stored.has(place)).length,
    'begun and not done': ledger.filter(
      (row) =>
        row.rowKey.startsWith('mail|') && row['state'] !== 'done' && !isOfLostMessage(row, restoredFrom),
    ).length,
    'mailboxes in trouble': state.filter(({ rowKey }) => rowKey.endsWith('|health')).length,
    'open alerts': alerts.filter(
      (row) => row.rowKey.startsWith('open|') && !needsPerson(row) && !waitForEmail.has(String(row['key'])),
    ).length,
  };
  return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${what}: ${count}`]));
}
