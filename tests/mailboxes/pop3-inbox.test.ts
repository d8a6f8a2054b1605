import { describe, expect, test } from 'vitest';
import { connectFailureFrom } from '../../shared/mailboxes/connect-inbox.ts';
import { type Inbox, InboxError } from '../../shared/mailboxes/inbox.ts';
import { openMaildrop } from '../../shared/mailboxes/pop3-inbox.ts';
import { uidlRef } from '../../shared/mailboxes/pop3-position.ts';
import { Pop3Session } from '../../shared/mailboxes/pop3-session.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { mailboxOf } from '../harness/memory/intake-world.ts';
import { type Answer, scriptedServer } from '../harness/stack/scripted-pop3.ts';

const mails = ['Subject: a\r\n\r\n1\r\n', 'Subject: b\r\n\r\n2\r\n', 'Subject: c\r\n\r\n3\r\n'];

interface Server {
  inbox: Inbox;
  /** What the client said, in every session. */
  said: string[];
}

/** An inbox on a server over real sockets that answers as it should, except for the given commands. */
async function inboxOn(unusual: Readonly<Record<string, Answer>> = {}, capabilities = ''): Promise<Server> {
  const { connect, said } = await scriptedServer(mails, unusual, capabilities);
  const inbox = await openMaildrop(async () => {
    const session = await Pop3Session.greeted(await connect(), openSeam);
    await session.signIn('support@contoso.example', new Secret('t'));
    return session;
  }, openSeam);
  return { inbox, said };
}
const failing = async (work: Promise<unknown>): Promise<InboxError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof InboxError)) throw new Error(`it failed with ${String(error)}`);
  return error;
};

describe('an inbox over POP3', () => {
  test('is looked at with five commands', async () => {
    const { inbox, said } = await inboxOn();
    const { position } = await inbox.list({});
    const { refs } = await inbox.list({ position: position.toData(), unread: false });
    expect(refs).toEqual([]);
    await inbox.close();
    expect(said).toEqual(['AUTH XOAUTH2', '(response)', 'UIDL', 'QUIT']);
  });

  test('sends many commands at once if the server offers it, and one by one otherwise', async () => {
    for (const [capabilities, expected] of [
      ['PIPELINING\r\n', 3],
      ['', 1],
    ] as const) {
      const { connect, most } = await scriptedServer(mails, {}, capabilities);
      const inbox = await openMaildrop(async () => {
        const session = await Pop3Session.greeted(await connect(), openSeam);
        await session.signIn('support@contoso.example', new Secret('t'));
        return session;
      }, openSeam);
      expect(await inbox.fetchMeta(await inbox.all())).toHaveLength(3);
      expect(most()).toBe(expected);
      await inbox.close();
    }
  });

  test('reads headers without TOP from the whole message', async () => {
    const { inbox, said } = await inboxOn({ TOP: () => '-ERR unknown command\r\n' });
    const refs = await inbox.all();
    expect((await inbox.fetchMeta(refs)).map(({ size }) => size)).toEqual(mails.map(({ length }) => length));
    expect(Buffer.from(await inbox.fetchHead(refs[1] ?? uidlRef(''), 10)).toString()).toBe('Subject: b');
    expect(said.filter((line) => line.startsWith('RETR'))).toHaveLength(4);
    await inbox.close();
  });

  test('asks for metadata of a message once', async () => {
    const { inbox, said } = await inboxOn();
    const refs = await inbox.all();
    await inbox.fetchMeta(refs.slice(0, 2));
    await inbox.fetchMeta(refs);
    await inbox.remove(refs.slice(0, 1));
    await inbox.fetchMeta(refs);
    expect(said.filter((line) => line.startsWith('TOP'))).toEqual(['TOP 1 0', 'TOP 2 0', 'TOP 3 0']);
    await inbox.close();
  });

  test('adds nothing to a message whose last line has no end but the end that POP3 requires', async () => {
    const { inbox } = await inboxOn({ RETR: () => '+OK\r\nSubject: a\r\n\r\n..dot\r\nend\r\n.\r\n' });
    const found: string[] = [];
    await inbox.fetchRaw((await inbox.all()).slice(0, 1), (_, raw) =>
      found.push(Buffer.from(raw).toString()),
    );
    expect(found).toEqual(['Subject: a\r\n\r\n.dot\r\nend\r\n']);
    await inbox.close();
  });

  test('tells messages with the same UIDL apart', async () => {
    const { inbox } = await inboxOn({ UIDL: () => '+OK\r\n1 x\r\n2 x\r\n3 y\r\n.\r\n' });
    expect(new Set(await inbox.all()).size).toBe(3);
    await inbox.close();
  });
});

describe('deleting over POP3', () => {
  test('succeeds only after QUIT, and continues in another session', async () => {
    const { inbox, said } = await inboxOn();
    const refs = await inbox.all();
    await inbox.remove(refs.slice(0, 2));
    expect(said.slice(3)).toEqual(['CAPA', 'DELE 1', 'DELE 2', 'QUIT']);
    expect(await inbox.all()).toEqual(refs.slice(2));
    await inbox.close();
  });

  test('deletes nothing if the server refuses one of the messages', async () => {
    const { inbox, said } = await inboxOn({
      DELE: (args) => (args === '2' ? '-ERR it is locked\r\n' : undefined),
    });
    const refs = await inbox.all();
    const error = await failing(inbox.remove(refs));
    expect(error).toMatchObject({ failure: 'refused', code: 'pop3-refused' });
    expect(said).toContain('RSET');
    await inbox.close();
    expect(said.at(-1)).toBe('QUIT');
  });

  test('fails if the server does not delete at QUIT', async () => {
    const { inbox } = await inboxOn({ QUIT: () => '-ERR some deleted messages not removed\r\n' });
    const error = await failing(inbox.remove(await inbox.all()));
    expect(error).toMatchObject({ failure: 'refused', said: expect.stringContaining('not removed') });
    await inbox.close();
  });

  test('fails if the connection is cut at QUIT, when nobody knows whether it deleted', async () => {
    const { inbox } = await inboxOn({ QUIT: () => null });
    expect(await failing(inbox.remove(await inbox.all()))).toMatchObject({ failure: 'unavailable' });
    await inbox.close();
  });
});

describe('a POP3 server that', () => {
  test('has no UIDL cannot be fetched from, and that is said', async () => {
    const error = await failing(inboxOn({ UIDL: () => '-ERR unknown command\r\n' }));
    expect(error).toMatchObject({ failure: 'refused', code: 'pop3-no-uidl' });
    const { kind, message } = connectFailureFrom(error, mailboxOf({ kind: 'leave' }, 'pop3'));
    expect([kind, message]).toEqual(['action-required', expect.stringContaining('UIDL')]);
  });

  test.each([
    [
      '-ERR [IN-USE] Do you have another POP session running?',
      'unavailable',
      'pop3-in-use',
      'Another program',
    ],
    ['-ERR maildrop already locked', 'unavailable', 'pop3-in-use', 'Another program'],
    ['-ERR [LOGIN-DELAY] wait', 'unavailable', 'pop3-login-delay', 'no sign-in so soon'],
    ['-ERR [SYS/TEMP] try later', 'unavailable', 'pop3-unavailable', 'does not answer as it should'],
    ['-ERR [SYS/PERM] broken', 'no-access', 'pop3-no-access', 'POP3 is switched on'],
    ['-ERR [AUTH] no', 'token-refused', 'pop3-token-refused', 'POP3 is switched on'],
  ])('answers a sign-in with “%s” is `%s`', async (line, failure, code, words) => {
    const error = await failing(inboxOn({ '(response)': () => `${line}\r\n` }));
    expect(error).toMatchObject({ failure, code });
    const told = connectFailureFrom(error, mailboxOf({ kind: 'leave' }, 'pop3'));
    expect(told.kind).toBe(failure === 'unavailable' ? 'retrying' : 'action-required');
    expect(told.message).toContain(words);
    expect(told.message).not.toContain('IMAP');
  });

  test.each<[string, string, Answer]>([
    ['in a listing', 'UIDL', () => '+OK\r\n1 a\r\n2'],
    ['in a header', 'TOP', () => '+OK\r\nSubj'],
    ['in a message', 'RETR', () => '+OK\r\nSubject: a\r\n\r\nhalf'],
    ['before it answers', 'DELE', () => ''],
  ])(
    'cuts the connection %s is unavailable, and nothing is reported as done',
    async (_where, command, half) => {
      const cut: Answer = (args) => ({ half: half(args) as string });
      const fetched: string[] = [];
      const work = async (): Promise<void> => {
        const { inbox } = await inboxOn({ [command]: cut });
        const refs = await inbox.all();
        if (command === 'TOP') await inbox.fetchMeta(refs);
        if (command === 'RETR') await inbox.fetchRaw(refs, (ref) => fetched.push(ref));
        if (command === 'DELE') await inbox.remove(refs);
      };
      expect(await failing(work())).toMatchObject({ failure: 'unavailable', code: 'pop3-unavailable' });
      expect(fetched).toEqual([]);
    },
  );
});
