import { expect, test } from 'vitest';
import { IntakeWorld } from '../harness/memory/intake-world.ts';
import { ownMail } from '../harness/memory/mail-files.ts';

test('the reply address of a sender is stored on the message, even if From contains no address', async () => {
  const world = new IntakeWorld();
  world.deliver(
    ['from-fax-number-with-reply-to.eml', 'to-name-before-address.eml'].map((name) => ({
      name,
      raw: ownMail(name),
      disposition: 'ticket' as const,
    })),
  );
  await world.run();
  const heads = world.tables.dump('Tickets').filter(({ rowKey }) => rowKey === 'head');
  const tickets = await Promise.all(heads.map(({ partitionKey }) => world.tickets.read(partitionKey)));
  const bySubject = new Map(tickets.map((ticket) => [ticket?.ticket.subject, ticket?.messages[0]]));
  expect(bySubject.get('Fax')).toMatchObject({
    from: { name: 'FAX:030-1234567@', address: 'fax@gateway.example' },
    replyTo: [{ address: 'fax@gateway.example' }],
  });
  expect(bySubject.has('test')).toBe(true);
  expect(bySubject.get('test')?.replyTo).toBeUndefined();
});
