import { describe, expect, test } from 'vitest';
import { mailServerKindHere } from '../../dev/emulators/mail/mail-server.ts';
import type { MailServerKind } from '../../dev/emulators/mail/mail-world.ts';
import { type GraphAnswer, useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { info, plainMail, sales, support } from '../harness/stack/mail-lab.ts';
import { openWebhook, type Webhook } from '../harness/stack/webhook.ts';

const RESOURCE = "me/mailFolders('inbox')/messages";
const inMinutes = (minutes: number): string => new Date(Date.now() + minutes * 60_000).toISOString();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function describePush(kind: MailServerKind): void {
  const { ask, token, graph, server, empty, restartGraph } = useGraphMail(kind);

  const deliver = (subject: string): Promise<void> => server().deliver(support, plainMail({ subject }));
  const subscribe = (bearer: string, hook: Webhook, more: object = {}): Promise<GraphAnswer> =>
    ask(bearer, 'subscriptions', {
      method: 'POST',
      body: {
        changeType: 'created',
        resource: RESOURCE,
        notificationUrl: hook.url,
        lifecycleNotificationUrl: hook.url,
        clientState: 'secret',
        expirationDateTime: inMinutes(10_080),
        ...more,
      },
    });
  /** A subscription of the support mailbox, the only one there is. */
  async function subscribed(more: object = {}): Promise<{ bearer: string; hook: Webhook; id: string }> {
    await empty(support);
    const bearer = await token(support, { scp: 'Mail.ReadBasic' });
    for (const { id } of (await ask(bearer, 'subscriptions')).body.value ?? [])
      await ask(bearer, `subscriptions/${String(id)}`, { method: 'DELETE' });
    const hook = await openWebhook();
    const made = await subscribe(bearer, hook, more);
    expect(made.status, made.text).toBe(201);
    return { bearer, hook, id: String(made.body['id']) };
  }

  test('calls back when email arrives, with an id that opens it', async () => {
    const { bearer, hook, id } = await subscribed();
    await deliver('news');
    const [event = {}] = await hook.received(1);
    expect(event).toMatchObject({ subscriptionId: id, changeType: 'created', clientState: 'secret' });
    const { id: messageId } = event['resourceData'] as { id: string };
    expect((await ask(bearer, `me/messages/${messageId}?$select=subject`)).body['subject']).toBe('news');
  });

  test('tries again until the endpoint accepts, and after a restart of Graph', async () => {
    const { hook } = await subscribed();
    hook.statuses.push(503, 500);
    await deliver('first');
    await hook.received(1);
    await restartGraph();
    await deliver('second');
    await hook.received(2);
  });

  test('lists, extends and ends a subscription, and never reads its secret back', async () => {
    const { bearer, hook, id } = await subscribed({ expirationDateTime: inMinutes(5) });
    const path = `subscriptions/${id}`;
    const read = await ask(bearer, path);
    expect(read.body).toMatchObject({ id, resource: RESOURCE, changeType: 'created', clientState: null });
    // A life under 45 minutes is raised to that.
    expect(Date.parse(String(read.body['expirationDateTime']))).toBeGreaterThan(Date.now() + 40 * 60_000);
    const until = inMinutes(600);
    const longer = await ask(bearer, path, { method: 'PATCH', body: { expirationDateTime: until } });
    expect(longer.body['expirationDateTime']).toBe(until);
    expect((await ask(await token(sales), path)).status).toBe(404);
    expect((await ask(bearer, path, { method: 'DELETE' })).status).toBe(204);
    expect((await ask(bearer, path)).body.error?.code).toBe('ResourceNotFound');
    await deliver('after the end');
    await pause(300);
    expect(hook.events).toEqual([]);
  });

  test('refuses a life over seven days, a long client state and an endpoint that does not echo', async () => {
    const bearer = await token(support);
    const hook = await openWebhook();
    expect((await subscribe(bearer, hook, { expirationDateTime: inMinutes(10_090) })).status).toBe(400);
    expect((await subscribe(bearer, hook, { clientState: 'x'.repeat(129) })).status).toBe(400);
    const wrong = await openWebhook({ isValid: false });
    expect((await subscribe(bearer, wrong)).body.error?.code).toBe('ValidationError');
  });

  test('refuses a shared mailbox to a person and gives it to an app', async () => {
    const resource = `users/${info}/mailFolders('inbox')/messages`;
    const hook = await openWebhook();
    const person = await token(support, { scp: 'Mail.Read Mail.Read.Shared' });
    const refused = await subscribe(person, hook, { resource });
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'ErrorAccessDenied']);
    const app = await token('', { roles: ['Mail.ReadBasic'] });
    expect((await subscribe(app, hook, { resource })).status).toBe(201);
    await server().deliver(info, plainMail({ subject: 'to all' }));
    await hook.received(1);
  });

  test('drops, doubles, delays and forges events, and dies without a word', async () => {
    const { hook } = await subscribed();
    graph().makeMailTrouble({ action: 'push-fault', kind: 'drop', times: 1 });
    graph().makeMailTrouble({ action: 'push-fault', kind: 'double', times: 1 });
    await deliver('dropped');
    await pause(300);
    expect(hook.events).toEqual([]);
    await deliver('doubled');
    const [one, two] = await hook.received(2);
    expect(two).toEqual(one);
    graph().makeMailTrouble({ action: 'push-fault', kind: 'delay', times: 1, delay: 400 });
    const began = performance.now();
    await deliver('delayed');
    await hook.received(3);
    expect(performance.now() - began).toBeGreaterThanOrEqual(399);
    graph().makeMailTrouble({ action: 'forge-push', mailbox: support, clientState: 'guessed' });
    expect((await hook.received(4))[3]).toMatchObject({ clientState: 'guessed' });
    graph().makeMailTrouble({ action: 'silence-push', mailbox: support, isSilent: true });
    await deliver('silent');
    await pause(300);
    expect(hook.events).toHaveLength(4);
  });

  test('sends lifecycle events; a removed subscription is gone', async () => {
    const { bearer, hook, id } = await subscribed();
    for (const event of ['missed', 'reauthorizationRequired', 'subscriptionRemoved'] as const) {
      const answer = await fetch(`${graph().url}/.control/mail`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ action: 'lifecycle', mailbox: support, event }),
      });
      expect(answer.status).toBe(204);
    }
    const events = await hook.received(3);
    expect(events.map(({ lifecycleEvent }) => lifecycleEvent).sort()).toEqual([
      'missed',
      'reauthorizationRequired',
      'subscriptionRemoved',
    ]);
    expect(events[0]).toMatchObject({ subscriptionId: id, clientState: 'secret' });
    expect((await ask(bearer, `subscriptions/${id}`)).status).toBe(404);
  });
}

describe('push over the mail server without installation', () => describePush('npm'));
const absent = mailServerKindHere() !== 'debian';
if (absent) console.warn('SKIPPED: Dovecot and Postfix are not here, or this is not root.');
describe.skipIf(absent)('push over Dovecot', () => describePush('debian'));
