import { ImapFlow } from 'imapflow';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { startMailServer } from '../../../dev/emulators/mail/mail-server.ts';
import type { Endpoint, MailServer, MailServerKind } from '../../../dev/emulators/mail/mail-world.ts';
import { type MailLab, makeMailLab, type TokenWishes } from './mail-lab.ts';
import { Conversation } from './mail-lines.ts';

/** A running server for the tests of one file, and the clients that connect to it. */
export function useMailServer(kind: MailServerKind) {
  let lab: MailLab;
  let server: MailServer;

  beforeAll(async () => {
    lab = await makeMailLab(kind);
    server = await startMailServer(lab.options);
  });
  afterAll(async () => {
    await server?.stop();
    lab?.remove();
  });

  async function imapAs(user: string, upn = user, wishes?: TokenWishes): Promise<ImapFlow> {
    const accessToken = await lab.token(upn, wishes);
    const client = new ImapFlow({
      ...server.imap,
      secure: true,
      tls: { ca: lab.ca },
      auth: { user, accessToken },
      logger: false,
    });
    client.on('error', () => {});
    onTestFinished(() => client.close());
    await client.connect();
    return client;
  }

  const emptyInbox = (user: string): Promise<ImapFlow> => emptied(imapAs(user));

  async function conversation(endpoint: Endpoint): Promise<Conversation> {
    const talk = new Conversation(endpoint, lab.ca);
    onTestFinished(() => talk.close());
    await talk.line();
    return talk;
  }

  async function pop3As(user: string, upn = user, wishes?: TokenWishes): Promise<[Conversation, string]> {
    const talk = await conversation(server.pop3);
    expect((await talk.ask('AUTH XOAUTH2')).trim()).toBe('+');
    let answer = await talk.ask(lab.xoauth2(user, await lab.token(upn, wishes)));
    if (answer.startsWith('+ ')) answer = await talk.ask('');
    return [talk, answer];
  }

  async function mailerAs(user: string, wishes?: TokenWishes) {
    const auth = { type: 'OAuth2' as const, user, accessToken: await lab.token(user, wishes) };
    const transport = createTransport({ ...server.smtp, requireTLS: true, tls: { ca: lab.ca }, auth });
    onTestFinished(() => transport.close());
    return transport;
  }

  return {
    lab: () => lab,
    server: () => server,
    async restart() {
      await server.stop();
      server = await startMailServer(lab.options);
    },
    imapAs,
    emptyInbox,
    conversation,
    pop3As,
    mailerAs,
    received,
  };
}

export type MailServerUnderTest = ReturnType<typeof useMailServer>;

/** The inbox of a client, emptied: each test has its own. */
export async function emptied(connecting: Promise<ImapFlow>): Promise<ImapFlow> {
  const client = await connecting;
  await client.mailboxOpen('INBOX');
  await client.messageDelete('1:*', { uid: true });
  return client;
}

/** The source of an email, once it is in the open folder. */
export async function received(client: ImapFlow, subject: string): Promise<string> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; ) {
    await client.noop();
    const [uid] = (await client.search({ subject }, { uid: true })) || [];
    if (uid !== undefined) {
      const mail = await client.fetchOne(String(uid), { source: true }, { uid: true });
      return mail === false ? '' : String(mail.source?.toString('latin1'));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`No mail with the subject ${subject} arrived`);
}
