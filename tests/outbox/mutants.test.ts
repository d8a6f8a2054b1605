/** Deliberately wrong outboxes. A checker that accepts one proves nothing. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { queuedDelivery } from '../../shared/outbox/delivery.ts';
import type { OutboxMessage } from '../../shared/outbox/outbox-message.ts';
import type { SendDeps } from '../../shared/outbox/send-emails.ts';
import { noSentFolder } from '../../shared/outbox/sent-folder.ts';
import { only } from '../harness/memory/faulty-seam.ts';
import { countCalls, everySingleFault, race, schedule } from './fault-schedules.ts';
import type { Design, WorldOptions } from './outbox-world.ts';

beforeAll(() => {
  for (const level of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});

const isClaim = ({ delivery }: OutboxMessage): boolean => delivery.status.state === 'sending';

/** Writes the claim only once the server has answered. */
const sentBeforeClaim: Design = {
  sending: (deps) => {
    let unwritten: (() => Promise<unknown>) | undefined;
    return {
      ...deps,
      outbox: {
        ...deps.outbox,
        async replace(message, etag) {
          if (isClaim(message)) {
            unwritten = () => deps.outbox.replace(message, etag);
            return etag;
          }
          return deps.outbox.replace(message, etag);
        },
      },
      async wayOutOf(mailboxId) {
        const way = await deps.wayOutOf(mailboxId);
        if (way === undefined) return undefined;
        return {
          ...way,
          async deliver(mail) {
            const outcome = await way.deliver(mail);
            await unwritten?.();
            return outcome;
          },
        };
      },
    };
  },
};

/** Sends again whatever is unknown, without looking into the Sent folder. */
const resentWithoutLooking: Design = {
  sending: (deps) => ({
    ...deps,
    outbox: {
      ...deps.outbox,
      replace: (message, etag) =>
        deps.outbox.replace(
          message.kind === 'reply' && message.delivery.status.state === 'unknown'
            ? { ...message, delivery: queuedDelivery(new Date(deps.seam.now()).toISOString()) }
            : message,
          etag,
        ),
    },
  }),
};

/** Claims whatever the row has become since it was read. */
const claimedWithoutCompare: Design = {
  sending: (deps) => ({
    ...deps,
    outbox: {
      ...deps.outbox,
      replace: (message, etag) => deps.outbox.replace(message, isClaim(message) ? '*' : etag),
    },
  }),
};

/** Answers machines, too. */
const answeringMachines: Design = { mayAcknowledge: () => true };

/** Tries an acknowledgement again after a crash. */
const acknowledgedAgain: Design = {
  sending: (deps) => ({
    ...deps,
    outbox: {
      ...deps.outbox,
      replace: (message, etag) =>
        deps.outbox.replace(
          message.kind === 'acknowledgement' && message.delivery.status.state === 'unknown'
            ? { ...message, delivery: queuedDelivery(new Date(deps.seam.now()).toISOString()) }
            : message,
          etag,
        ),
    },
  }),
};

/** Tries all single faults until a violation of this kind appears. */
async function caught(options: WorldOptions, expected: RegExp): Promise<string[]> {
  const calls = await countCalls(options);
  for (const fault of everySingleFault(calls)) {
    const { violations } = await schedule([{ faultAt: only(fault) }], options);
    const found = violations.filter((violation) => expected.test(violation));
    if (found.length > 0) return found;
  }
  return [];
}

describe('the checker detects an outbox that', () => {
  test.each<[string, Design, RegExp]>([
    ['sends before it claims', sentBeforeClaim, /^P4: acknowledgement ack was sent 2 times/],
    [
      'sends again what is unknown, without looking for it',
      resentWithoutLooking,
      /^P4: reply \w+ was sent 2 times, and its row does not say so/,
    ],
    ['acknowledges automatic email', answeringMachines, /^P4: a machine got an acknowledgement/],
    ['sends an acknowledgement again after a crash', acknowledgedAgain, /^P4: acknowledgement ack was sent/],
  ])('%s', async (_what, design, expected) => {
    expect(await caught({ design }, expected)).not.toEqual([]);
  });

  test('claims without compare-and-swap', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 50; seed += 1)
      found.push(...(await race(seed, 0, { design: claimedWithoutCompare })).violations);
    for (const name of ['acknowledgement ack', 'reply first', 'reply second'])
      expect(found).toContainEqual(expect.stringMatching(new RegExp(`^P4: ${name} was sent [2-9] times`)));
  });

  test('has no mistake, and accepts the product itself with the same wrappers', async () => {
    const sending = (deps: SendDeps): SendDeps => ({ ...deps, outbox: { ...deps.outbox } });
    expect((await schedule([{}], { design: { sending } })).violations).toEqual([]);
    const blind = (deps: SendDeps): SendDeps => ({
      ...deps,
      openSentFolder: () => Promise.resolve(noSentFolder),
    });
    // A server without a Sent folder: a reply is sent twice, and its row says so.
    expect((await schedule([{}], { design: { sending: blind } })).violations).toEqual([]);
  });
});
