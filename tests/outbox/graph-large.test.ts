/** Email that is too large for one request to Microsoft Graph. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Fault } from '../../dev/emulators/faults.ts';
import { openInbox } from '../../shared/mailboxes/open-inbox.ts';
import { openSentFolder } from '../../shared/outbox/sent-folder.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { sendingMailbox } from '../harness/memory/outbox-emails.ts';
import { support } from '../harness/stack/mail-lab.ts';
import { emptied } from '../harness/stack/mail-under-test.ts';
import { BOTH, binary, large, MB, nothing, RANGE, useGraphSending } from './graph-sending.ts';
import { letter, tokensOf } from './sending.ts';
import { handsOverLargeEmail } from './way-out-contract.ts';

const { mail, place, tokens, way, fault, counts, emptyAll, emailsIn, requested } = useGraphSending();
beforeEach(emptyAll);

describe('hands over an email', () =>
  handsOverLargeEmail(() => ({ way: () => way(), emptyInbox: (user) => emptied(mail.imapAs(user)) })));

describe('a large email over Microsoft Graph', () => {
  test('has one copy in Sent Items, and leaves no draft', async () => {
    expect(await (await way()).deliver(large('one'))).toMatchObject({
      kind: 'accepted',
      answer: '202 Accepted',
    });
    expect(await counts()).toEqual({ arrived: 1, sent: 1, drafts: 0 });
  });

  test.each<[string, Omit<Fault, 'match'>]>([
    ['the answer is lost', { loseAnswer: true }],
    ['Graph fails', { status: 500 }],
  ])('may have been sent if %s at the end, and its draft is not deleted', async (what, trouble) => {
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

  test.each<[string, Omit<Fault, 'match'>, string]>([
    [
      'one draft',
      {
        status: 200,
        body: {
          responses: [
            { id: '0', status: 403, body: { error: { code: 'ErrorAccessDenied', message: 'Lamp' } } },
          ],
        },
      },
      '403 ErrorAccessDenied',
    ],
    [
      'the whole request',
      { status: 500, body: { error: { code: 'InternalServerError', message: 'Lamp' } } },
      '500 InternalServerError',
    ],
  ])(
    'whose draft can’t be deleted says so in the log, and its next attempt deletes it: Graph refuses %s',
    async (_what, refusal, said) => {
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
      fault('/send$', { status: 503, headers: { 'retry-after': '60' } });
      fault('/\\$batch$', refusal);
      const out = await way();
      const email = large('Leftover');
      expect(await out.deliver(email)).toMatchObject({
        kind: expect.stringMatching(/^(?:refused|not-started)$/),
      });
      expect(await counts()).toEqual({ ...nothing, drafts: 1 });
      const lines = warned.mock.calls.flat().map(String);
      expect(lines).toEqual([expect.stringContaining(`"draft not deleted"`)]);
      expect(lines[0]).toContain(said);
      expect(lines[0]).not.toMatch(/Lamp|Leftover|Bearer|postroom\.example/);
      warned.mockRestore();
      expect(await out.deliver(email)).toMatchObject({ kind: 'accepted' });
      expect(await counts()).toEqual({ arrived: 1, sent: 1, drafts: 0 });
    },
  );

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
    fault(path, trouble, path === RANGE ? 'PUT' : 'POST');
    const { attachments = [], ...email } = large('refused', 5 * MB);
    const files = [...attachments, binary('small.bin', 10)];
    expect(await (await way()).deliver({ ...email, attachments: files })).toMatchObject(expected);
    expect(await counts()).toEqual(nothing);
  });

  test('is refused alone if the account may not save drafts: a smaller one leaves', async () => {
    const out = await way(await tokens('Mail.Send'));
    expect(await out.deliver(large('denied'))).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: false,
      why: { code: 'graph-draft-denied', isVerdict: true },
    });
    const two = letter({ attachments: [binary('two.bin', 2 * MB)] });
    expect(await out.deliver(two)).toMatchObject({ kind: 'accepted' });
    expect(requested('POST', '/sendMail')).toHaveLength(1);
  });

  test('is refused before any request if its text alone is too large', async () => {
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
    const old = await mail.token(support, { scp: BOTH, lifetime: -10 });
    const source = tokensOf(old, await mail.token(support, { scp: BOTH }));
    expect(await (await way(source)).deliver(large('fresh'))).toMatchObject({ kind: 'accepted' });
    expect(source.asked).toEqual([{}, { rejected: old }]);
  });

  test('is not sent after its attempt has ended', async () => {
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
