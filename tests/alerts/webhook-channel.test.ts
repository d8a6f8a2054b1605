import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Notification } from '../../shared/alerts/notification.ts';
import { webhookChannel } from '../../shared/alerts/webhook-channel.ts';
import { payloadOf, shapeFor, signatureOf } from '../../shared/alerts/webhook-payload.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { START, sampleNotification, silent } from '../harness/memory/sample-findings.ts';
import { channelSecretsOf } from './channel-vault.ts';

const key = new Secret('a key that nobody guesses');
const publicUrl = 'https://desk.example';

let received: { headers: IncomingHttpHeaders; body: string }[] = [];
let answer = 200;
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(answer).end();
  });
});
beforeAll(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)));
afterAll(() => new Promise((done) => server.close(done)));
beforeEach(() => {
  received = [];
  answer = 200;
});

const tell = (
  notification: Notification,
  options: { key?: Secret | undefined; path?: string } = { key },
): Promise<void> => {
  const { port } = server.address() as AddressInfo;
  return webhookChannel({
    config: { publicUrl, local: true },
    seam: { ...openSeam, now: () => START + 500 },
    channelSecrets: channelSecretsOf({
      'alert-webhook-url': `http://127.0.0.1:${port}${options.path ?? '/hook?sig=very-secret'}`,
      'alert-webhook-key': options.key?.expose(),
    }),
  })(notification);
};

describe('a webhook', () => {
  test('gets the fault, its cause, since when, its effect on email, who can fix it, and one link', async () => {
    await tell(sampleNotification());
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
      type: 'alert.opened',
      data: {
        kind: 'mailbox-silent',
        severity: 'error',
        headline: 'support@contoso.example is not fetched.',
        cause: 'The mail server does not answer.',
        affected: 'No mail is lost: it waits in the mailbox.',
        who: 'no one: it resolves on its own',
        fix: { label: 'Test the connection', url: 'https://desk.example/mailboxes/support/test' },
      },
    });
  });

  test('can be verified by sender and time: ID, time and body are signed', async () => {
    await tell(sampleNotification());
    const { headers, body } = received[0] ?? { headers: {}, body: '' };
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = createHmac('sha256', key.expose()).update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    expect(headers['webhook-timestamp']).toBe(String(START / 1000));
  });

  test('has the same bytes under the same ID at every attempt of the same event', async () => {
    answer = 503;
    await expect(tell(sampleNotification())).rejects.toMatchObject({ code: 'webhook-refused' });
    answer = 200;
    await tell(sampleNotification());
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('is not sent without a signature', async () => {
    await expect(tell(sampleNotification(), { key: undefined })).rejects.toMatchObject({
      code: 'webhook-unsigned',
    });
    expect(received).toEqual([]);
  });

  test('keeps its URL out of its errors', async () => {
    answer = 403;
    const error = await tell(sampleNotification()).catch((thrown: unknown) => String(thrown));
    expect(error).toContain('403');
    expect(error).not.toContain('very-secret');
  });

  test('on a private address is refused in Azure', async () => {
    const channel = webhookChannel({
      config: { publicUrl, local: false },
      seam: openSeam,
      channelSecrets: channelSecretsOf(
        { 'alert-webhook-url': 'https://127.0.0.1/hook', 'alert-webhook-key': key.expose() },
        { local: false },
      ),
    });
    await expect(channel(sampleNotification())).rejects.toMatchObject({ code: 'channel-unusable' });
  });
});

describe('the format', () => {
  test.each([
    ['prod-07.westeurope.logic.azure.com', 'teams'],
    ['default1f.4c.environment.api.powerplatform.com', 'teams'],
    ['contoso.webhook.office.com', 'teams'],
    ['hooks.slack.com', 'slack'],
    ['hooks.contoso.example', 'json'],
    ['notslack.com', 'json'],
    ['logic.azure.com.attacker.example', 'json'],
  ])('for %s is %s', (host, shape) => {
    expect(shapeFor(host)).toBe(shape);
  });

  test('for Teams is a message with one adaptive card and one button', () => {
    const card = JSON.parse(payloadOf(sampleNotification(), 'teams', publicUrl));
    expect(card).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            body: [
              { text: 'support@contoso.example is not fetched.', color: 'Attention' },
              { type: 'FactSet' },
            ],
            actions: [{ type: 'Action.OpenUrl', url: 'https://desk.example/mailboxes/support/test' }],
          },
        },
      ],
    });
    const over = JSON.parse(payloadOf(sampleNotification({ what: 'closed' }), 'teams', publicUrl));
    expect(over.attachments[0].content.body[0]).toMatchObject({
      text: 'Resolved: support@contoso.example is not fetched.',
      color: 'Good',
    });
  });

  test('for Slack turns no name into a mention or a link', () => {
    const evil = silent('support', { headline: '<!channel> <https://evil.example|Fix>', cause: 'a & b' });
    const text = payloadOf(sampleNotification({ finding: evil }), 'slack', publicUrl);
    expect(text).not.toContain('<!channel>');
    expect(text).not.toContain('<https://evil');
    expect(JSON.parse(text).text).toBe('&lt;!channel&gt; &lt;https://evil.example|Fix&gt;');
  });
});

test('a key with the prefix of the specification is base64', () => {
  const bytes = Buffer.from('0123456789');
  const signed = signatureOf('id', 'body', new Secret(`whsec_${bytes.toString('base64')}`), START);
  const expected = createHmac('sha256', bytes)
    .update(`id.${START / 1000}.body`)
    .digest('base64');
  expect(signed['webhook-signature']).toBe(`v1,${expected}`);
});
