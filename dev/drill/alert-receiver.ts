import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '../emulators/http-answers.ts';

/** The content of a webhook request about an alert (shared/alerts/webhook-payload.ts). */
export interface ReceivedAlert {
  what: 'opened' | 'changed' | 'repeated' | 'closed';
  key: string;
  kind: string;
  severity: string;
  headline: string;
  cause: string;
  code: string | null;
  affected: string;
  link: string;
}

export interface AlertReceiver extends AsyncDisposable {
  /** For the secrets `alert-webhook-url` and `alert-webhook-key`. */
  url: string;
  key: string;
  received: ReceivedAlert[];
}

const KEY = 'the signing key of the drill';

interface Body {
  type: string;
  data: Omit<ReceivedAlert, 'what' | 'link'> & { fix: { url: string } };
}

/** An external receiver of alerts that accepts only signed requests. */
export async function startAlertReceiver(): Promise<AlertReceiver> {
  const received: ReceivedAlert[] = [];
  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        const id = String(request.headers['webhook-id']);
        const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${body}`;
        const signature = `v1,${createHmac('sha256', KEY).update(signed).digest('base64')}`;
        const known = request.headers['webhook-signature'] === signature;
        if (known) received.push(alertOf(JSON.parse(body) as Body));
        response.writeHead(known ? 204 : 401).end();
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/alerts`,
    key: KEY,
    received,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function alertOf({ type, data }: Body): ReceivedAlert {
  const { key, kind, severity, headline, cause, code, affected, fix } = data;
  const what = type.replace('alert.', '') as ReceivedAlert['what'];
  return { what, key, kind, severity, headline, cause, code, affected, link: fix.url };
}
