import { expect, test } from 'vitest';
import { connectionsAt, LOOKS_AT_ONCE, paceByHost } from '../../shared/intake/look-pacing.ts';
import { Turns } from '../../shared/intake/turns.ts';

const never = new AbortController().signal;

test('turns go to the lowest rank, whoever came first', async () => {
  const turns = new Turns(1);
  expect(turns.tryBegin()).toBe(true);
  expect(turns.tryBegin(), 'the only one is taken').toBe(false);
  const order: number[] = [];
  const run = async (rank: number): Promise<void> => {
    expect(await turns.begin(rank, never)).toBe(true);
    order.push(rank);
    turns.end();
  };
  const all = [run(7), run(2), run(5)];
  expect(turns.isAwaited).toBe(true);
  turns.end();
  await Promise.all(all);
  expect(order).toEqual([2, 5, 7]);
  expect(turns.isAwaited).toBe(false);
  expect(turns.tryBegin(), 'all turns are free again').toBe(true);
});

test('who gives up waiting takes no turn', async () => {
  const turns = new Turns(1);
  turns.tryBegin();
  const cut = new AbortController();
  const given = turns.begin(1, cut.signal);
  const next = turns.begin(2, never);
  cut.abort();
  expect(await given).toBe(false);
  turns.end();
  expect(await next).toBe(true);
  expect(await turns.begin(3, cut.signal), 'nor who has given up before').toBe(false);
});

test('a server that counts connections by mailbox gets all at once, any other one twenty', () => {
  expect(connectionsAt('outlook.office365.com')).toBe(LOOKS_AT_ONCE);
  expect(connectionsAt('imap.gmail.com')).toBe(LOOKS_AT_ONCE);
  expect(connectionsAt('mail.contoso.example')).toBe(20);
  expect(connectionsAt('outlook.office365.com.contoso.example')).toBe(20);
  expect(connectionsAt('notoutlook.com')).toBe(20);
});

test('looks at one server are paced, and do not delay another server', async () => {
  const paced = paceByHost();
  let open = 0;
  let most = 0;
  const { promise: hang, resolve } = Promise.withResolvers<void>();
  const look = async (): Promise<void> => {
    open += 1;
    most = Math.max(most, open);
    await hang;
    open -= 1;
  };
  const slow = Array.from({ length: 50 }, () => paced('Mail.contoso.example', look));
  expect(await paced('imap.fabrikam.example', async () => 'seen')).toBe('seen');
  resolve();
  await Promise.all(slow);
  expect(most).toBe(20);
});
