import { ImapFlow } from 'imapflow';
import type { Stack } from '../stack.ts';
import type { Box } from './world.ts';

/** A message as the mail server has it. */
export interface ServedMessage {
  uid: number;
  seen: boolean;
  /** Verbatim as the server returns it: Dovecot converts line ends to CRLF and replaces NUL. */
  raw: Buffer;
}

export interface InboxLook {
  uidValidity: string;
  all: readonly number[];
  seen: readonly number[];
}

/** A second mail client that bypasses every proxy: what is on the server is the truth. */
export interface InboxTruth {
  look(box: Box): Promise<InboxLook>;
  messages(box: Box): Promise<{ uidValidity: string; messages: ServedMessage[] }>;
  /** A colleague opens these. */
  open(box: Box, uids: readonly number[]): Promise<void>;
}

const HOURS = 12;

export async function openInboxTruth(stack: Stack, boxes: readonly Box[]): Promise<InboxTruth> {
  const tokens = new Map<string, string>();
  for (const { address } of boxes)
    tokens.set(
      address,
      await stack.identityProvider.control.mintAccessToken({ upn: address, ttlSeconds: HOURS * 3600 }),
    );

  /** A new connection each time: the server is restarted occasionally. */
  async function visit<T>(box: Box, work: (client: ImapFlow, uidValidity: string) => Promise<T>): Promise<T> {
    const client = new ImapFlow({
      ...stack.demo.imap,
      secure: true,
      tls: { ca: stack.ca },
      auth: { user: box.address, accessToken: tokens.get(box.address) ?? '' },
      logger: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const { uidValidity } = await client.mailboxOpen('INBOX');
      return await work(client, String(uidValidity));
    } finally {
      await client.logout().catch(() => client.close());
    }
  }

  return {
    look: (box) =>
      visit(box, async (client, uidValidity) => {
        const search = async (query: { all: true } | { seen: true }): Promise<number[]> => {
          const found = await client.search(query, { uid: true });
          if (found === false || found === undefined) throw new Error('The mail server did not search.');
          return found;
        };
        // Flags first: a message marked now must have been stored before.
        const seen = await search({ seen: true });
        return { uidValidity, seen, all: await search({ all: true }) };
      }),
    messages: (box) =>
      visit(box, async (client, uidValidity) => {
        const messages: ServedMessage[] = [];
        if (client.mailbox !== false && client.mailbox.exists > 0)
          for await (const { uid, flags, source } of client.fetch('1:*', { flags: true, source: true }))
            messages.push({ uid, seen: flags?.has('\\Seen') === true, raw: source ?? Buffer.alloc(0) });
        return { uidValidity, messages };
      }),
    open: (box, uids) =>
      visit(box, async (client) => {
        if (uids.length > 0) await client.messageFlagsAdd([...uids], ['\\Seen'], { uid: true });
      }),
  };
}
