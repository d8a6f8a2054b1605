import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { fetchShard, type ShardDeps } from '../../shared/intake/fetch-shard.ts';
import type { LedgerStore } from '../../shared/intake/ledger-store.ts';
import { uidRef } from '../../shared/mailboxes/imap-position.ts';
import type { Inbox } from '../../shared/mailboxes/inbox.ts';
import type { Blobs } from '../../shared/platform/blobs.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { only } from '../harness/memory/faulty-seam.ts';
import type { Design, WorldOptions } from '../harness/memory/intake-world.ts';
import {
  countCalls,
  everySingleFault,
  Findings,
  meanwhile,
  renumberedWithNews,
  schedule,
} from './fault-schedules.ts';

// Deliberately wrong designs, some of them found in real products. A checker that accepts one proves nothing.

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const withDeps =
  (change: (deps: ShardDeps) => Partial<ShardDeps>): Design =>
  (deps, shard) =>
    fetchShard({ ...deps, ...change(deps) }, shard);

/** The product with a wrapper around the inbox. */
const withInbox = (wrap: (inbox: Inbox) => Partial<Inbox>): Design =>
  withDeps((deps) => ({
    openInbox: async (...asked) => {
      const inbox = await deps.openInbox(...asked);
      return { ...inbox, ...wrap(inbox) };
    },
  }));

/** Marks while it downloads, as a FETCH without PEEK does. */
const markedFirst = withInbox((inbox) => ({
  async fetchRaw(refs, each) {
    await inbox.markSeen(refs);
    await inbox.fetchRaw(refs, each);
  },
}));

/** Marks in the catch block, so that an email that cannot be stored does not return. */
const markedInCatch: Design = async (deps, shard, { folder, seam }) => {
  const results = await fetchShard(deps, shard);
  if (
    !seam.dead &&
    [...results.values()].some((result) => result === undefined || result.kind === 'failed')
  ) {
    const [mailbox] = await deps.mailboxes.list();
    if (mailbox === undefined) throw new Error('there is no mailbox');
    const inbox = await deps.openInbox(
      {
        ...mailbox,
        user: mailbox.address,
        accessToken: new Secret('unused'),
      },
      mailbox.protocol,
    );
    await inbox.markSeen(folder.mails.map(({ uid }) => uidRef(uid)));
  }
  return results;
};

/** Remembers decisions only in its process. */
function forgetful(ledger: LedgerStore): LedgerStore {
  return {
    ...ledger,
    async decide(_mailboxId, decided) {
      return decided.map(({ mail, decision }) => ({ ...mail, state: 'decided', decision }));
    },
  };
}

const decidedAgain = withDeps(({ ledger }) => ({ ledger: forgetful(ledger) }));

/** The ledger's decision would keep even a random ID, so this design has neither. */
const randomTicketId = withDeps(({ ledger }) => ({
  ledger: forgetful(ledger),
  ticketIdOf: () => randomBytes(13).toString('hex'),
}));

/** Reports that a blob is stored and stores it after everything else. */
const rowsBeforeBlobs: Design = async (deps, shard) => {
  const later: (() => Promise<unknown>)[] = [];
  const blobs: Blobs = {
    read: (name) => deps.blobs.read(name),
    stream: (name) => deps.blobs.stream(name),
    remove: (name) => deps.blobs.remove(name),
    lease: (name, seconds) => deps.blobs.lease(name, seconds),
    async putOnce(name, bytes) {
      later.push(() => deps.blobs.putOnce(name, bytes));
      return 'stored';
    },
  };
  const results = await fetchShard({ ...deps, blobs }, shard);
  for (const put of later) await put();
  return results;
};

/** Trusts the UIDs it read at the beginning. */
const validityTrusted = withInbox((inbox) => ({
  currentValidity: () => Promise.resolve(inbox.validity),
}));

const mutants: [string, Design, RegExp][] = [
  ['mail is marked before it is stored', markedFirst, /^P2/],
  ['mail is marked when something went wrong', markedInCatch, /^P2/],
  ['tickets have random ids', randomTicketId, /^P1: ".*" is in [2-9] messages/],
  ['an email is decided about again', decidedAgain, /^(P1: ".*" is in [2-9] messages|numbers:)/],
  ['rows are written before their blobs', rowsBeforeBlobs, /^P3/],
];

/** Tries all single faults until a violation of this kind appears. */
async function caught(design: Design, expected: RegExp): Promise<Findings> {
  const findings = new Findings();
  const options: WorldOptions = { design };
  for (const fault of everySingleFault(await countCalls(options))) {
    const name = `${fault.kind} at call ${fault.call}`;
    const violations = await schedule({ faultAt: only(fault) }, undefined, options);
    findings.add(name, violations);
    if (violations.some((violation) => expected.test(violation))) break;
  }
  return findings;
}

describe('the checker detects a design in which', () => {
  test.each(mutants)(
    '%s',
    async (_what, design, expected) => {
      const findings = await caught(design, expected);
      expect(findings.list()).toContainEqual(expect.stringMatching(expected));
    },
    60_000,
  );

  test('UIDs are trusted after the server renumbered its email', async () => {
    const findings = new Findings();
    const options: WorldOptions = { design: validityTrusted };
    for (let call = 1; call <= (await countCalls(options)); call += 1)
      findings.add(`before call ${call}`, await meanwhile(call, renumberedWithNews, options));
    expect(findings.list()).toContainEqual(expect.stringMatching(/^P[12]/));
  }, 60_000);

  test('nothing is wrong, and accepts the product itself with the same wrappers', async () => {
    const nothing = new Findings();
    const designs = [withInbox(() => ({})), withDeps(() => ({}))];
    for (const design of designs) nothing.add('wrapped', await schedule({}, undefined, { design }));
    expect(nothing.list()).toEqual([]);
  });
});
