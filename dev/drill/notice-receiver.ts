import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../emulators/http-answers.ts';

/** What a webhook's receiver is told of a notice (shared/notices/webhook-payload.ts). */
export interface ReceivedNotice {
  what: 'opened' | 'changed' | 'repeated' | 'closed';
  key: string;
  kind: string;
  headline: string;
  cause: string;
  code: string | null;
  affected: string;
  link: string;
}

export interface NoticeReceiver extends AsyncDisposable {
  /** For the secrets `alert-webhook-url` and `alert-webhook-key`. */
  url: string;
  key: string;
  received: ReceivedNotice[];
}

const KEY = 'the signing key of the drill';

interface Body {
  type: string;
  data: Omit<ReceivedNotice, 'what' | 'link'> & { fix: { url: string } };
}

/** Somebody outside who is told of notices, and believes only what is signed. */
export async function startNoticeReceiver(): Promise<NoticeReceiver> {
  const received: ReceivedNotice[] = [];
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        const id = String(request.headers['webhook-id']);
        const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${body}`;
        const signature = `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`;
        const known = request.headers['webhook-signature'] === signature;
        if (known) received.push(noticeOf(JSON.parse(body) as Body));
        response.writeHead(known ? 204 : 401).end();
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/notices`,
    key: KEY,
    received,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function noticeOf({ type, data }: Body): ReceivedNotice {
  const { key, kind, headline, cause, code, affected, fix } = data;
  const what = type.replace('notice.', '') as ReceivedNotice['what'];
  return { what, key, kind, headline, cause, code, affected, link: fix.url };
}
