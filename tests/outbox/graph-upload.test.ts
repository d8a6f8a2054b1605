/** How the attachments of a large email reach Microsoft. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../dev/emulators/faults.ts';
import { openSeam, type Seam } from '../../shared/platform/seam.ts';
import { sales, support } from '../harness/stack/mail-lab.ts';
import { BOTH, binary, large, MB, nothing, RANGE, useGraphSending } from './graph-sending.ts';
import { letter, listening, tokensOf } from './sending.ts';

const { mail, way, fault, counts, emptyAll, emailsIn, requested } = useGraphSending();
beforeEach(emptyAll);

describe('an attachment of a large email', () => {
  test('needs an upload session from 3 MB on, and one request if it is smaller', async () => {
    const sizes = [MB, 3 * MB, 2 * MB];
    const attachments = sizes.map((size, index) => binary(`${index}.bin`, size));
    expect(await (await way()).deliver(letter({ attachments }))).toMatchObject({ kind: 'accepted' });
    expect(requested('POST', 'createUploadSession')).toHaveLength(1);
    expect(requested('POST', '/attachments')).toHaveLength(3);
  });

  test.each<[string, Omit<Fault, 'match'>]>([
    ['is lost', { destroy: true }],
    ['is taken and its answer lost', { loseAnswer: true }],
    ['is throttled', { status: 429, headers: { 'retry-after': '0' } }],
    ['meets an outage', { status: 503, headers: { 'retry-after': '0' } }],
  ])('is continued where it was if a range in the middle %s', async (_what, trouble) => {
    const email = large('resumed', 9 * MB);
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

  test('keeps its email from leaving if the answer to its last range is lost: nobody knows whether it is attached', async () => {
    const seam = afterUploads(2, () => fault(RANGE, { loseAnswer: true }, 'PUT'));
    expect(await (await way(undefined, seam)).deliver(large('last range', 9 * MB))).toMatchObject({
      kind: 'not-started',
      permanent: false,
      why: { code: 'graph-unavailable' },
    });
    expect(await counts()).toEqual(nothing);
  });

  test('is uploaded in a later attempt if Graph wants a long pause', async () => {
    fault(RANGE, { status: 429, headers: { 'retry-after': '90' } }, 'PUT');
    const before = Date.now();
    const outcome = await (await way()).deliver(large('throttled'));
    expect(outcome).toMatchObject({ kind: 'refused', permanent: false, why: { code: 'graph-throttled' } });
    const retryAt = outcome.kind === 'refused' ? Date.parse(outcome.retryAt ?? '') : Number.NaN;
    expect(retryAt).toBeGreaterThanOrEqual(before + 90_000);
    expect(retryAt).toBeLessThanOrEqual(Date.now() + 90_000);
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
    const { headers, port } = await recorder();
    fault('createUploadSession$', session(`http://localhost:${port}/upload?authtoken=secret`));
    const token = await mail.token(support, { scp: BOTH });
    expect(await (await way(tokensOf(token))).deliver(large('elsewhere', 9 * MB))).toMatchObject({
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

  test('is quoted if it refuses a range, but for the secret of its address', async () => {
    const message = "PUT https://outlook.office.com/AttachmentSessions('1')?authtoken=0b7c3d1e-77 is wrong";
    fault(RANGE, { status: 400, body: { error: { code: 'ErrorInvalidRequest', message } } }, 'PUT');
    const outcome = await (await way()).deliver(large('quoted'));
    expect(outcome).toMatchObject({
      kind: 'refused',
      permanent: true,
      isOfWayOut: false,
      why: { code: 'graph-send-refused', reason: expect.stringContaining('400 ErrorInvalidRequest: PUT') },
    });
    expect(JSON.stringify(outcome)).not.toContain('0b7c3d1e');
    expect(await counts()).toEqual(nothing);
  });

  test('gets nothing if it is not of Exchange Online', async () => {
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
