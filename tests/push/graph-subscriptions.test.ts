/** Our requests, as the Graph emulator answers them. */
import { describe, expect, test } from 'vitest';
import { openSeam } from '../../shared/platform/seam.ts';
import { Secret } from '../../shared/platform/secret.ts';
import { newClientState } from '../../shared/push/client-state.ts';
import { LIFE_MS } from '../../shared/push/decide-push.ts';
import { type GraphSubscriptions, graphSubscriptions } from '../../shared/push/graph-subscriptions.ts';
import { useGraphMail } from '../harness/stack/graph-mail-lab.ts';
import { plainMail, sales, support } from '../harness/stack/mail-lab.ts';
import { openWebhook } from '../harness/stack/webhook.ts';
import { MAILBOX_ID } from './sample-push.ts';

const lab = useGraphMail('npm');
const INBOX = "me/mailFolders('inbox')/messages";

const graphAs = async (upn: string, scp = 'Mail.ReadBasic'): Promise<GraphSubscriptions> =>
  graphSubscriptions(lab.graph().url, new Secret(await lab.token(upn, { scp })), {
    seam: openSeam,
    local: true,
  });
const wanted = (notificationUrl: string, change: { resource?: string; expiresAt?: string } = {}) => ({
  resource: INBOX,
  notificationUrl,
  clientState: newClientState(MAILBOX_ID),
  expiresAt: new Date(Date.now() + LIFE_MS).toISOString(),
  ...change,
});

describe('a subscription', () => {
  test('is made with the longest life, announces email and its own life, is renewed and removed', async () => {
    const graph = await graphAs(support);
    const hook = await openWebhook();
    const asked = wanted(hook.url);
    const made = await graph.create(asked);
    if (made.kind !== 'made') throw new Error(JSON.stringify(made));
    expect(Date.parse(made.expiresAt)).toBe(Date.parse(asked.expiresAt));
    await lab.server().deliver(support, plainMail({ subject: 'news' }));
    const [event] = await hook.received(1);
    expect(event).toMatchObject({
      subscriptionId: made.subscriptionId,
      clientState: asked.clientState.expose(),
    });
    lab.graph().makeMailTrouble({ action: 'lifecycle', mailbox: support, event: 'reauthorizationRequired' });
    const [, second] = await hook.received(2);
    expect(second).toMatchObject({ lifecycleEvent: 'reauthorizationRequired' });
    const later = new Date(Date.now() + LIFE_MS + 60_000).toISOString();
    expect(await graph.renew(made.subscriptionId, later)).toEqual({ ...made, expiresAt: later });
    expect(await graph.remove(made.subscriptionId)).toEqual({ kind: 'removed' });
    expect(await graph.remove(made.subscriptionId)).toEqual({ kind: 'removed' });
    expect(await graph.renew(made.subscriptionId, later)).toEqual({ kind: 'gone' });
  });

  test('of the app is made for any mailbox', async () => {
    const token = await lab.token(support, { roles: ['Mail.ReadBasic'] });
    const graph = graphSubscriptions(lab.graph().url, new Secret(token), { seam: openSeam, local: true });
    const hook = await openWebhook();
    const resource = `users/${encodeURIComponent(sales)}/mailFolders('inbox')/messages`;
    expect((await graph.create(wanted(hook.url, { resource }))).kind).toBe('made');
  });
});

describe('Graph refuses, with what it said,', () => {
  test('an account without the permission', async () => {
    const hook = await openWebhook();
    const answer = await (await graphAs(support, 'User.Read')).create(wanted(hook.url));
    expect(answer).toMatchObject({ kind: 'refused', isDenied: true });
  });

  test('an endpoint that it does not reach, or that does not answer as it should', async () => {
    const hook = await openWebhook({ isValid: false });
    const answer = await (await graphAs(support)).create(wanted(hook.url));
    expect(answer).toMatchObject({
      kind: 'refused',
      code: 'ValidationError',
      isDenied: false,
      said: expect.stringContaining('validation'),
    });
  });
});

describe('Graph is unavailable', () => {
  test.each([
    [429, { 'retry-after': '17' }, 17_000],
    [503, {}, 0],
    [504, {}, 0],
  ])('with %i, and says for how long', async (status, headers, afterMs) => {
    const graph = await graphAs(support);
    lab.graph().faults.push({ match: { path: 'subscriptions' }, status, headers });
    expect(await graph.create(wanted('http://localhost:1/'))).toMatchObject({ kind: 'unavailable', afterMs });
  });

  test('when it does not answer at all', async () => {
    const graph = graphSubscriptions('http://localhost:1', new Secret('t'), { seam: openSeam, local: true });
    expect(await graph.renew('x', new Date().toISOString())).toMatchObject({
      kind: 'unavailable',
      code: 'endpoint-silent',
    });
  });
});
