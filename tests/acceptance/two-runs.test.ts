/**
 * Two processes fetch one mailbox at the same time, both with the lease, as after a pause longer than a lease: the
 * ledger alone must keep every email unique.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { HostProcess } from '../../dev/host/host-process.ts';
import { fetchProtocols } from '../../shared/mailboxes/open-inbox.ts';
import { smallMails } from '../harness/memory/small-mails.ts';
import {
  connectSupport,
  fetchOnce,
  openPostroom,
  type Postroom,
  SUPPORT,
  type Watcher,
  watchInbox,
} from '../harness/stack/installation.ts';
import { readRecords } from './installation-records.ts';
import { openStorageGate, type StorageGate } from './storage-gate.ts';

const ROUNDS = 6;
const MAILS_A_ROUND = 40;

describe.each(fetchProtocols)('two processes that fetch one mailbox over %s at the same time', (protocol) => {
  let postroom: Postroom;
  let mailboxId: string;
  let gates: StorageGate[];
  let hosts: HostProcess[];
  let watcher: Watcher;

  beforeAll(async () => {
    postroom = await openPostroom(mailServerKindHere());
    mailboxId = await connectSupport(postroom, protocol);
    const { connectionString } = postroom.stack.storage;
    gates = await Promise.all([0, 1].map(() => openStorageGate(connectionString, { ignoreLeases: true })));
    hosts = await Promise.all(
      gates.map((gate) => postroom.startHost({ settings: { DataStorage: gate.connectionString } })),
    );
    watcher = await watchInbox(postroom);
  });
  afterAll(async () => {
    await watcher?.close();
    await postroom?.[Symbol.asyncDispose]();
    await Promise.all((gates ?? []).map((gate) => gate[Symbol.asyncDispose]()));
  });

  it('file every email once between them', async () => {
    const mails = smallMails(ROUNDS * MAILS_A_ROUND);
    const shared: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const fresh = mails.slice(round * MAILS_A_ROUND, (round + 1) * MAILS_A_ROUND);
      await postroom.stack.mail.deliverMany(SUPPORT, fresh);
      const before = gates.map((gate) => gate.count());
      await Promise.all(hosts.map((host, shard) => fetchOnce(postroom, host, mailboxId, { shard })));
      shared.push(Math.min(...gates.map((gate, index) => gate.count() - (before[index] ?? 0))));
    }
    await Promise.all(hosts.map((host, shard) => fetchOnce(postroom, host, mailboxId, { shard })));

    const { all: left, seen, uidValidity } = await watcher.look();
    // Over POP3, all of it was deleted.
    const all = protocol === 'pop3' ? mails.map((_, index) => index + 1) : left;
    const { faults, dispositions } = await readRecords(postroom, mailboxId, uidValidity, all);
    expect(faults).toEqual([]);
    expect(protocol === 'pop3' ? left : seen).toEqual(protocol === 'pop3' ? [] : all);
    const kinds = Map.groupBy(dispositions.values(), (disposition) => disposition?.kind);
    expect(kinds.get('message')?.length).toBe(mails.length - copiesIn(mails));
    expect(kinds.get('quarantined')).toBeUndefined();
    // Both must have worked; an idle run makes only a handful of requests.
    console.log(`requests of the less busy process, round by round: ${shared.join(', ')}`);
    expect(shared.filter((requests) => requests > 20).length).toBeGreaterThan(ROUNDS / 2);
  });
});

function copiesIn(mails: readonly Buffer[]): number {
  return mails.length - new Set(mails.map((raw) => raw.toString('latin1'))).size;
}
