/** “Test connection” of a saved mailbox: the last result, a new test, the transcript. */

import { mailboxRoleScript } from '../../../shared/accounts/mailbox-role-script.ts';
import { type ConnectionTest, isWaiting } from '../../../shared/connection-test/connection-test.ts';
import { findTestMessage, runConnectionTest } from '../../../shared/connection-test/run-connection-test.ts';
import { explainProblem } from '../../../shared/explanations/explain.ts';
import type { ExplainContext, Explanation } from '../../../shared/explanations/explanation.ts';
import { type Mailbox, sendingLoginOf } from '../../../shared/mailboxes/mailbox.ts';
import { isSending } from '../../../shared/mailboxes/mailbox-form.ts';
import { loginsOf } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { type Code, codeFrom } from '../../../shared/platform/problem.ts';
import { waysOf } from '../../../shared/providers/provider.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { findDepsOf } from '../../find-test-message.ts';
import { flashOf } from '../../http/form-data.ts';
import { recordChange } from '../../http/record-change.ts';
import type { PageContext } from '../../http/web-environment.ts';
import type { Services } from '../../services.ts';
import { resumeSending } from '../../use-cases/send-over-graph.ts';
import { contextOfLogin } from '../errors/explain-context.ts';
import { type ContextOf, connectionTestPage, transcriptText } from './connection-test-view.tsx';
import { failureOfSending, failureOfTest, graphOfferFor, sendingOfferFor } from './graph-offer.tsx';

export async function showConnectionTest(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const tests = await withTestMessages(services, mailbox, await services.connectionTests.of(mailbox.id));
  const contextOf = await explainContextsOf(services, mailbox);
  const flash = flashOf(c, flashes);
  const isSent = c.req.query('flash') === 'graph-not-sent';
  const unopened = explainedCode(c.req.query('code'), contextOf(isSent ? 'graph-send' : 'graph'));
  const view = { principal: c.get('principal'), mailbox, tests, contextOf, unopened, flash };
  const [offer, sendingOffer, script] = await Promise.all([
    offerFor(services, mailbox, tests),
    sendingOfferOf(services, mailbox, tests),
    isSent ? appScriptFor(services, mailbox) : undefined,
  ]);
  return c.html(connectionTestPage({ ...view, offer, sendingOffer, script }));
}

const flashes: Readonly<Record<string, Flash>> = {
  'graph-not-opened': {
    kind: 'error',
    text: 'Microsoft Graph does not open the mailbox either. Nothing was changed.',
  },
  'graph-not-granted': {
    kind: 'error',
    text: 'The permission to read over Microsoft Graph was not granted. Nothing was changed.',
  },
  'graph-not-sent': {
    kind: 'error',
    text: 'Microsoft Graph does not send as this mailbox either. Nothing was changed.',
  },
  'graph-send-not-granted': {
    kind: 'error',
    text: 'The permission to send over Microsoft Graph was not granted. Nothing was changed.',
  },
  'no-graph': {
    kind: 'error',
    text: 'The provider of this mailbox has no Microsoft Graph. Nothing was changed.',
  },
};

/** Why Graph did not open the mailbox; the code comes from the address, so only known ones are explained. */
function explainedCode(code: string | undefined, context: ExplainContext): Explanation | undefined {
  const explanation = code === undefined ? undefined : explainProblem({ code: codeFrom(code) }, context);
  return explanation?.code === 'not-recognised' ? undefined : explanation;
}

/** The last test decides; without one, the last fetch. */
async function offerFor(
  { config, mailboxes, providers }: Services,
  mailbox: Mailbox,
  tests: readonly ConnectionTest[],
): Promise<string | undefined> {
  const failure =
    tests.length === 0 ? (await mailboxes.fetchState()).failing.get(mailbox.id) : failureOfTest(tests);
  return failure && graphOfferFor(config, await providers.get(mailbox.providerId), mailbox, failure);
}

/** The last test of sending decides; without one, the open alert. */
async function sendingOfferOf(
  { alerts, config, providers }: Services,
  mailbox: Mailbox,
  tests: readonly ConnectionTest[],
): Promise<string | undefined> {
  const login = sendingLoginOf(mailbox);
  if (login === undefined) return undefined;
  const isTested = tests.some(({ protocol }) => isSending(protocol));
  const alerted = async (): Promise<Code | undefined> =>
    (await alerts.open()).find(({ findings: { sending } }) => sending?.subject.id === mailbox.id)?.findings
      .sending?.code;
  const code = isTested ? failureOfSending(tests) : await alerted();
  return sendingOfferFor(config, await providers.get(login.providerId), mailbox, code);
}

/** For an app that signs in itself: the script that lets it send as this mailbox and no other. */
async function appScriptFor(
  { accounts, providers }: Services,
  mailbox: Mailbox,
): Promise<string | undefined> {
  const { address } = mailbox;
  const sending = sendingLoginOf(mailbox);
  if (sending === undefined) return undefined;
  const [stored, provider] = await Promise.all([accounts.get(sending), providers.get(sending.providerId)]);
  if (stored?.account.kind !== 'app' || provider === undefined) return undefined;
  const { cloud, tenant, clientId } = provider;
  const ways = ['graph-send', ...waysOf(provider)] as const;
  return mailboxRoleScript({ cloud, tenant, clientId, objectId: undefined, address }, [...new Set(ways)]);
}

export async function testConnection(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  // Before the account's token is sent to the mailbox's servers.
  await recordChange(c, {
    action: 'connection tested',
    subject: { kind: 'mailbox', id: mailbox.id, name: mailbox.address },
  });
  const { expectMark } = services.connectionTests;
  const tests = await runConnectionTest({ ...services, expectMark }, mailbox, { toOneself: true });
  await services.connectionTests.save(mailbox.id, tests);
  // A new refusal is explained on this page.
  if (tests.some(hasSent)) await resumeSending(services, mailbox);
  return c.redirect(paths.connectionTest(mailbox), 303);
}

export async function downloadTranscript(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const tests = await c.get('services').connectionTests.of(mailbox.id);
  return c.body(transcriptText(mailbox, tests), 200, {
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': 'attachment; filename="connection-test.txt"',
    'x-content-type-options': 'nosniff',
  });
}

/** The server accepted an email of the mailbox to itself. */
const hasSent = ({ steps }: ConnectionTest): boolean =>
  steps.some(({ name, state }) => name === 'send' && state === 'passed');

/** Each request of the page checks once whether the test email has arrived. */
async function withTestMessages(
  services: Services,
  mailbox: Mailbox,
  tests: readonly ConnectionTest[],
): Promise<ConnectionTest[]> {
  return Promise.all(
    tests.map(async (test) => {
      if (!isWaiting(test)) return test;
      const checked = await findTestMessage(findDepsOf(services), mailbox, test);
      if (checked !== test) await services.connectionTests.saveResult(mailbox.id, checked);
      return checked;
    }),
  );
}

/** The values for explanations: the mailbox, and the account that each protocol signs in with. */
export async function explainContextsOf(services: Services, mailbox: Mailbox): Promise<ContextOf> {
  const logins = loginsOf(mailbox);
  const [reading, sending] = await Promise.all(
    [logins.reading, logins.sending].map((login) => contextOfLogin(services, mailbox.address, login)),
  );
  return (protocol) => (isSending(protocol) ? sending : reading) ?? {};
}

async function mailboxOf(c: PageContext): Promise<Mailbox | undefined> {
  const id = c.req.param('id') ?? '';
  return /^[a-z2-7]{26}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}
