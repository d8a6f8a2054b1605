/** Email that is too large for one request to Microsoft Graph. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Fault } from '../../dev/emulators/faults.ts';
import type { TokenSource } from '../../shared/mailboxes/connect-inbox.ts';
import { openInbox } from '../../shared/mailboxes/open-inbox.ts';
import type { SendingRoute } from '../../shared/outbox/send-mail.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import { type WayOut, wayOutOver } from '../../shared/outbox/way-out.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, sales, support } from '../harness/stack/mail-lab.ts';
import { emptied, received } from '../harness/stack/mail-under-test.ts';
import { sendingMailbox } from './emails.ts';
import { account, letter, listening, senderWith, tokensOf } from './sending.ts';
import { handsOverLargeEmail } from './way-out-contract.ts';

const MB = 1024 * 1024;
const BOTH = 'Mail.ReadWrite Mail.Send';
const RANGE = 'AttachmentSessions';

const mail = useGraphMail('npm');
const place = () => ({ host: 'localhost', port: mail.graph().port });
const tokens = async (scp = BOTH) => tokensOf(await mail.token(support, { scp }));

async function way(accessTokens?: TokenSource, seam?: Seam, user = support): Promise<WayOut> {
  const route: SendingRoute = { kind: 'mailbox', protocol: 'graph-send', ...place(), user, account };
  return wayOutOver(senderWith(accessTokens ?? (await tokens()), seam), route);
}

/** Adds a fault to one request to Graph. @param path the end of its path, or a part of it */
const fault = (path: string, what: Omit<Fault, 'match'>, method?: string): number =>
  mail.graph().faults.push({ match: { path, ...(method !== undefined && { method }) }, ...what });

const binary = (filename: string, content: Uint8Array) => ({
  filename,
  contentType: 'application/octet-stream',
  content,
});
const large = (subject: string, bytes = 9 * MB) =>
  letter({ subject, attachments: [binary('a.bin', randomBytes(bytes))] });

const emailsIn = async (address: string, folder: string) =>
  (await mail.mailbox(address).emails(folder)) ?? [];
const counts = async () => ({
  arrived: (await emailsIn(sales, 'INBOX')).length,
  sent: (await emailsIn(support, 'Sent Items')).length,
  drafts: (await emailsIn(support, 'Drafts')).length,
});
const nothing = { arrived: 0, sent: 0, drafts: 0 };
const emptyAll = async () => {
  mail.graph().faults.length = 0;
  mail.graph().requests.length = 0;
  await Promise.all([support, sales, info].map(mail.empty));
};
const requested = (method: string, path: string) =>
  mail.graph().requests.filter((one) => one.method === method && one.path.includes(path));

describe('hands over an email', () =>
  handsOverLargeEmail(() => ({ way: () => way(), emptyInbox: (user) => emptied(mail.imapAs(user)) })));

describe('a large email over Microsoft Graph', () => {
  test('has one copy in Sent Items, and leaves no draft', async () => {
    await emptyAll();
    expect(await (await way()).deliver(large('one'))).toMatchObject({
      kind: 'accepted',
      answer: '202 Accepted',
    });
    expect(await counts()).toEqual({ arrived: 1, sent: 1, drafts: 0 });
  });

  test('needs an upload session for each attachment of 3 MB or more, and one request for a smaller one', async () => {
    await emptyAll();
    const sizes = [MB, 3 * MB, 2 * MB];
    const attachments = sizes.map((size, index) => binary(`${index}.bin`, randomBytes(size)));
    expect(await (await way()).deliver(letter({ attachments }))).toMatchObject({ kind: 'accepted' });
    expect(requested('POST', 'createUploadSession')).toHaveLength(1);
    expect(requested('POST', '/attachments')).toHaveLength(3);
  });

  test.each<[string, Omit<Fault, 'match'>]>([
    ['is lost', { destroy: true }],
    ['is taken and its answer lost', { loseAnswer: true }],
    ['is throttled', { status: 429, headers: { 'retry-after': '0' } }],
    ['meets an outage', { status: 503, headers: { 'retry-after': '0' } }],
  ])('goes on where it was if a range in the middle %s', async (_what, trouble) => {
    await emptyAll();
    const email = large('resumed');
    const seam = afterUploads(1, () => fault(RANGE, trouble, 'PUT'));
    expect(await (await way(undefined, seam)).deliver(email)).toMatchObject({ kind: 'accepted' });
    expect(mail.graph().faults, 'the fault happened').toEqual([]);
    expect(
      requested('PUT', RANGE).filter(({ status }) => status > 299 && ![429, 503].includes(status)),
    ).toEqual([]);
    const [arrived] = await emailsIn(sales, 'INBOX');
    const source = arrived && String(await mail.mailbox(sales).read(arrived));
    const sent = Buffer.from(email.attachments?.[0]?.content ?? []).toString('base64');
    expect(source?.replaceAll('\r\n', '')).toContain(sent);
  });

  test('is sent later if its last range is taken and the answer lost: nobody knows whether the file is attached', async () => {
    await emptyAll();
    const seam = afterUploads(2, () => fault(RANGE, { loseAnswer: true }, 'PUT'));
    expect(await (await way(undefined, seam)).deliver(large('last range'))).toMatchObject({
      kind: 'not-started',
      permanent: false,
      why: { code: 'graph-unavailable' },
    });
    expect(await counts()).toEqual(nothing);
  });

  test('waits outside the attempt if Graph wants a long pause', async () => {
    await emptyAll();
    fault(RANGE, { status: 429, headers: { 'retry-after': '90' } }, 'PUT');
    const outcome = await (await way()).deliver(large('throttled'));
    expect(outcome).toMatchObject({ kind: 'refused', permanent: false, why: { code: 'graph-throttled' } });
    const retryAt = outcome.kind === 'refused' ? Date.parse(outcome.retryAt ?? '') : Number.NaN;
    expect(Math.abs(retryAt - (Date.now() + 90_000))).toBeLessThan(20_000);
    expect(await counts()).toEqual(nothing);
  });

  test.each<[string, Omit<Fault, 'match'>]>([
    ['the answer is lost', { loseAnswer: true }],
    ['Graph fails', { status: 500 }],
  ])('may have been sent if %s at the end, and its draft is not deleted', async (what, trouble) => {
    await emptyAll();
    fault('/send$', trouble);
    const messageId = `<${what.replaceAll(' ', '-')}@postroom.example>`;
    expect(await (await way()).deliver({ ...large('unanswered'), messageId })).toMatchObject({
      kind: 'unknown',
      why: { code: 'graph-answer-lost', isVerdict: false },
    });
    const wasSent = trouble.loseAnswer === true;
    expect(await counts()).toEqual(wasSent ? { arrived: 1, sent: 1, drafts: 0 } : { ...nothing, drafts: 1 });
    const folder = await openSentFolder(
      {
        accessTokens: await tokens(),
        openInbox: (address, protocol) => openInbox(protocol, address, openSeam, { local: true }),
      },
      { ...sendingMailbox(place()), protocol: 'graph', ...place() },
    );
    expect(await folder.has(messageId), 'a draft does not count as sent').toBe(wasSent);
    await folder.close();
  });

  test('that an attempt left as a draft is deleted before the next one, which sends it once', async () => {
    await emptyAll();
    fault('/messages$', { loseAnswer: true }, 'POST');
    const out = await way();
    expect(await out.deliver(large('again'))).toMatchObject({ kind: 'not-started', permanent: false });
    expect(await counts()).toEqual({ ...nothing, drafts: 1 });
    expect(await out.deliver({ ...large('other'), messageId: '<other@postroom.example>' })).toMatchObject({
      kind: 'accepted',
    });
    expect(await counts(), 'the draft of another email stays').toEqual({ arrived: 1, sent: 1, drafts: 1 });
    expect(await out.deliver(large('again'))).toMatchObject({ kind: 'accepted' });
    expect(await counts()).toEqual({ arrived: 2, sent: 2, drafts: 0 });
    expect(await emailsIn(support, 'Deleted Items'), 'for good').toEqual([]);
  });

  const denied = {
    status: 403,
    body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } },
  };
  const noSendAs = { status: 403, body: { error: { code: 'ErrorSendAsDenied', message: 'No right.' } } };
  const tooMuch = {
    status: 413,
    body: { error: { code: 'ErrorMessageSizeExceeded', message: 'Too large.' } },
  };
  test.each<[string, string, Omit<Fault, 'match'>, object]>([
    [
      'the upload session is denied',
      'createUploadSession$',
      denied,
      {
        kind: 'refused',
        permanent: true,
        isOfWayOut: false,
        why: { code: 'graph-draft-denied', isVerdict: true },
      },
    ],
    [
      'Exchange takes no email of this size',
      'createUploadSession$',
      tooMuch,
      {
        kind: 'refused',
        permanent: true,
        isOfWayOut: false,
        why: { code: 'graph-too-large', isVerdict: true },
      },
    ],
    [
      'Send As is missing',
      '/send$',
      noSendAs,
      { kind: 'refused', permanent: true, isOfWayOut: true, why: { code: 'graph-send-as-denied' } },
    ],
    [
      'the upload session ends',
      RANGE,
      { status: 404 },
      { kind: 'not-started', permanent: false, why: { code: 'graph-unavailable' } },
    ],
    [
      'Graph fails before the end',
      'createUploadSession$',
      { status: 500 },
      { kind: 'not-started', permanent: false, why: { code: 'graph-unavailable' } },
    ],
    [
      'nobody knows whether the draft was saved',
      '/messages$',
      { status: 504, headers: { 'retry-after': '0' } },
      { kind: 'not-started', permanent: false, why: { code: 'graph-unavailable' } },
    ],
    [
      'nobody knows whether a small file is attached',
      '/attachments$',
      { status: 504, headers: { 'retry-after': '0' } },
      { kind: 'not-started', permanent: false, why: { code: 'graph-unavailable' } },
    ],
    [
      'somebody deletes the draft',
      '/send$',
      { status: 404, body: { error: { code: 'ErrorItemNotFound', message: 'Gone.' } } },
      { kind: 'not-started', permanent: false, why: { code: 'graph-unavailable' } },
    ],
  ])('is not sent if %s, and its draft is deleted', async (_what, path, trouble, expected) => {
    await emptyAll();
    fault(path, trouble, path === RANGE ? 'PUT' : 'POST');
    const { attachments = [], ...email } = large('refused', 5 * MB);
    const files = [...attachments, binary('small.bin', randomBytes(10))];
    expect(await (await way()).deliver({ ...email, attachments: files })).toMatchObject(expected);
    expect(await counts()).toEqual(nothing);
  });

  test('is refused alone if the account may not save drafts: a smaller one leaves', async () => {
    await emptyAll();
    const out = await way(await tokens('Mail.Send'));
    expect(await out.deliver(large('denied'))).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: false,
      why: { code: 'graph-draft-denied', isVerdict: true },
    });
    const two = letter({ attachments: [binary('two.bin', randomBytes(2 * MB))] });
    expect(await out.deliver(two)).toMatchObject({ kind: 'accepted' });
    expect(requested('POST', '/sendMail')).toHaveLength(1);
  });

  test('is refused before any request if its text alone is too large', async () => {
    await emptyAll();
    const text = 'x'.repeat(4 * MB);
    expect(await (await way()).deliver(letter({ text }))).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: false,
      why: { code: 'graph-too-large', isVerdict: false },
    });
    expect(mail.graph().requests).toEqual([]);
  });

  test('refreshes a refused token once', async () => {
    await emptyAll();
    const old = await mail.token(support, { scp: BOTH, lifetime: -10 });
    const source = tokensOf(old, await mail.token(support, { scp: BOTH }));
    expect(await (await way(source)).deliver(large('fresh'))).toMatchObject({ kind: 'accepted' });
    expect(source.asked).toEqual([{}, { rejected: old }]);
  });

  test('is not sent after its attempt has ended', async () => {
    await emptyAll();
    let now = Date.now();
    const seam: Seam = {
      now: () => now,
      async call(point, effect) {
        const result = await effect();
        if (point === 'graph.upload') now += 4 * 60_000;
        return result;
      },
    };
    expect(await (await way(undefined, seam)).deliver(large('slow', 3 * MB))).toMatchObject({
      kind: 'not-started',
      permanent: false,
      why: { code: 'graph-unavailable' },
    });
    expect(await counts()).toEqual(nothing);
  });
});

describe('the server that takes attachments', () => {
  /** Answers like an upload session, and keeps what it gets. */
  async function recorder() {
    const headers: IncomingHttpHeaders[] = [];
    const server = createServer((request, response) => {
      headers.push(request.headers);
      request.resume().on('end', () => {
        const [, end = 0, total = 0] = /-(\d+)\/(\d+)$/.exec(request.headers['content-range'] ?? '') ?? [];
        const next = Number(end) + 1;
        if (next < Number(total)) response.end(JSON.stringify({ NextExpectedRanges: [String(next)] }));
        else response.writeHead(201).end();
      });
    });
    return { headers, port: await listening(server) };
  }
  const session = (uploadUrl: string) => ({ status: 201, body: { uploadUrl, nextExpectedRanges: ['0-'] } });

  test('never gets a token, and gets ranges that are multiples of 320 KiB', async () => {
    await emptyAll();
    const { headers, port } = await recorder();
    fault('createUploadSession$', session(`http://localhost:${port}/upload?authtoken=secret`));
    const token = await mail.token(support, { scp: BOTH });
    expect(await (await way(tokensOf(token))).deliver(large('elsewhere'))).toMatchObject({
      kind: 'accepted',
    });
    const step = 12 * 320 * 1024;
    expect(headers.map((one) => one['content-range'])).toEqual([
      `bytes 0-${step - 1}/${9 * MB}`,
      `bytes ${step}-${2 * step - 1}/${9 * MB}`,
      `bytes ${2 * step}-${9 * MB - 1}/${9 * MB}`,
    ]);
    expect(headers.map(({ authorization }) => authorization)).toEqual([undefined, undefined, undefined]);
    expect(JSON.stringify(headers)).not.toContain(token.slice(0, 40));
  });

  test('gets nothing if it is not of Exchange Online', async () => {
    await emptyAll();
    const { headers, port } = await recorder();
    fault('createUploadSession$', session(`http://127.0.0.1:${port}/upload?authtoken=secret`));
    const outcome = await (await way()).deliver(large('foreign'));
    expect(outcome).toMatchObject({
      kind: 'not-started',
      permanent: true,
      why: { code: 'endpoint-refused' },
    });
    expect(JSON.stringify(outcome), 'the URL is a secret').not.toContain('authtoken');
    expect(headers).toEqual([]);
    expect(await counts()).toEqual(nothing);
  });
});

describe('app-only access', () => {
  const asApp = async (...roles: string[]) => tokensOf(await mail.token('', { roles }));
  const from = { address: info, name: 'Contoso' };

  test.each([
    ['a small email', ['Mail.Send'], 10, '/sendMail'],
    ['a large email', ['Mail.Send', 'Mail.ReadWrite'], 5 * MB, '/send'],
  ])(
    'sends %s as the user of a shared mailbox, in whose Sent Items it is',
    async (subject, roles, bytes, end) => {
      await emptyAll();
      const inbox = await emptied(mail.imapAs(sales));
      const out = await way(await asApp(...roles), undefined, info);
      expect(await out.deliver({ ...large(subject, bytes), from })).toMatchObject({ kind: 'accepted' });
      expect(await received(inbox, subject)).toContain(`<${info}>`);
      const paths = mail.graph().requests.map((one) => one.path);
      expect(paths.filter((path) => path.startsWith('/v1.0/me'))).toEqual([]);
      expect(paths.at(-1)?.startsWith(`/v1.0/users/${encodeURIComponent(info)}/`)).toBe(true);
      expect(paths.at(-1)?.endsWith(end)).toBe(true);
      expect(await emailsIn(info, 'Sent Items')).toHaveLength(1);
    },
  );

  test('is refused for every email without Mail.Send', async () => {
    const out = await way(await asApp('Mail.ReadWrite'), undefined, info);
    expect(await out.deliver({ ...letter(), from })).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: true,
      why: { code: 'graph-access-denied' },
    });
  });
});

/** A seam that acts once so many ranges are uploaded. */
function afterUploads(count: number, act: () => void): Seam {
  let uploads = 0;
  return {
    ...openSeam,
    async call(point, effect) {
      const result = await effect();
      if (point === 'graph.upload' && ++uploads === count) act();
      return result;
    },
  };
}
