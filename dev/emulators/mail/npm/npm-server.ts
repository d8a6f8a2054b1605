import path from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { destinationOf, type MailServer, type MailServerOptions } from '../mail-world.ts';
import { makeTokenCheck } from './access-token.ts';
import { serveImap } from './imap-session.ts';
import { MailStore } from './mail-store.ts';
import { servePop3 } from './pop3-session.ts';
import { startDrop, startSubmission } from './smtp-services.ts';
import { mailboxOf } from './store-mailbox.ts';

const host = '127.0.0.1';

/** A mail server without installation: our own IMAP and POP3, and SMTP, with mail stored in files. */
export async function startNpmServer(options: MailServerOptions): Promise<MailServer> {
  const { ports = {} } = options;
  const now = () => Date.now();
  const check = await makeTokenCheck(options);
  const stores = new Map<string, MailStore>();
  for (const { address } of options.mailboxes) {
    const mailbox = address.toLowerCase();
    stores.set(mailbox, new MailStore(path.join(options.stateDir, 'mailboxes', folderName(mailbox)), now()));
  }
  const deliver = (mailbox: string, raw: Uint8Array, receivedAt?: Date) => {
    const store = stores.get(mailbox);
    const inbox = store?.folder('INBOX');
    if (store === undefined || inbox === undefined) {
      throw new Error(`No demo mailbox ${mailbox}; name it in \`mailboxes\` first.`);
    }
    store.append(inbox, raw, { date: receivedAt?.getTime() ?? now() });
  };

  const running: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(running.map((service) => service.stop()));
    for (const store of stores.values()) store.close();
  };
  const { tls, catchAll } = options;
  const world = { tls, check, mailboxes: new Set(stores.keys()), catchAll, stores, deliver, now };
  const started = async <T extends { stop(): Promise<void> }>(
    name: string,
    port: number,
    starting: Promise<T>,
  ) => {
    try {
      const service = await starting;
      running.push(service);
      return service;
    } catch (error) {
      await stop();
      const advice = `The mail server cannot listen on port ${port} (${name}); free it or choose another.`;
      throw new Error(advice, { cause: error });
    }
  };
  const { imap: imapPort = 0, pop3: pop3Port = 0, smtp: smtpPort = 0, drop: dropPort = 0 } = ports;
  const imap = await started(
    'imap',
    imapPort,
    listenTls(options, imapPort, (s) => serveImap(s, world)),
  );
  const pop3 = await started(
    'pop3',
    pop3Port,
    listenTls(options, pop3Port, (s) => servePop3(s, world)),
  );
  const smtp = await started('smtp', smtpPort, startSubmission(world, smtpPort));
  const drop = await started('drop', dropPort, startDrop(world, dropPort));

  const deliverMany = async (address: string, raws: readonly Uint8Array[], receivedAt?: Date) => {
    for (const raw of raws) deliver(address.toLowerCase(), raw, receivedAt);
  };
  return {
    kind: 'npm',
    imap: { host, port: imap.port },
    pop3: { host, port: pop3.port },
    smtp: { host, port: smtp.port },
    drop: { host, port: drop.port },
    deliver: (address, raw, receivedAt) => deliverMany(address, [raw], receivedAt),
    deliverMany: (address, raws) => deliverMany(address, raws),
    destinationOf: (address) => destinationOf(address, world),
    mailbox(address) {
      const store = stores.get(address.toLowerCase());
      return store === undefined ? undefined : mailboxOf(address.toLowerCase(), store, now);
    },
    stop,
  };
}

/** Addresses may contain characters that a file system refuses. */
function folderName(address: string): string {
  return address.replace(/[^a-z0-9@._-]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}

async function listenTls(
  { tls }: MailServerOptions,
  port: number,
  serve: (socket: TLSSocket) => Promise<void>,
): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<TLSSocket>();
  const server: Server = createServer({ cert: tls.cert, key: tls.key }, (socket) => {
    sockets.add(socket);
    // Small responses are sent at once: waiting for a fuller packet costs 40 ms per command.
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    serve(socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { port: address.port, stop };
}
