/** “Read over Microsoft Graph instead”, “Send over Microsoft Graph instead”, and their end after a sign-in. */
import type { ConnectRequest, GraphWay } from '../../../shared/consent/consent.ts';
import { startConsent } from '../../../shared/consent/start-consent.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxAuthor } from '../../../shared/mailboxes/mailbox-entry.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { switchToGraph } from '../../use-cases/read-over-graph.ts';
import { switchSendingToGraph } from '../../use-cases/send-over-graph.ts';
import { keepConsentCookie } from '../sign-in/consent-cookies.ts';
import { outcomePage } from '../sign-in/outcome-view.tsx';
import { accountChoices } from './mailbox-accounts.ts';

export const readOverGraph = (c: PageContext): Promise<Response> => switchOrAsk(c, 'graph');
export const sendOverGraph = (c: PageContext): Promise<Response> => switchOrAsk(c, 'graph-send');

/** Where the browser goes when the sign-in for Microsoft Graph is over: the switch was made, or it says why not. */
export async function finishSwitch(c: PageContext, mailboxId: string, way: GraphWay): Promise<string> {
  const mailbox = await mailboxOf(c, mailboxId);
  if (mailbox === undefined) return paths.mailboxes();
  const next = await nextOf(c, mailbox, way);
  return next.kind === 'go' ? next.to : paths.connectionTest(mailbox, { flash: notGranted[way] });
}

const notGranted: Readonly<Record<GraphWay, string>> = {
  graph: 'graph-not-granted',
  'graph-send': 'graph-send-not-granted',
};

type Next = { kind: 'go'; to: string } | { kind: 'ask'; connectRequest: ConnectRequest };

async function switchOrAsk(c: PageContext, way: GraphWay): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c, c.req.param('id') ?? '');
  if (mailbox === undefined) return c.notFound();
  const next = await nextOf(c, mailbox, way);
  if (next.kind === 'go') return c.redirect(next.to, 303);
  const startedBy = { kind: 'principal', id: c.get('principal').id } as const;
  const started = await startConsent(services, next.connectRequest, startedBy);
  if (started.kind !== 'started') return c.html(await outcomePage(c, started, new URLSearchParams()), 503);
  keepConsentCookie(c, started.key, started.cookie);
  return c.redirect(paths.handover({ key: started.key }), 303);
}

async function nextOf(c: PageContext, mailbox: Mailbox, way: GraphWay): Promise<Next> {
  const author = await authorOf(c);
  return way === 'graph' ? readNext(c, mailbox, author) : sendNext(c, mailbox, author);
}

async function readNext(c: PageContext, mailbox: Mailbox, author: MailboxAuthor): Promise<Next> {
  const switched = await switchToGraph(c.get('services'), mailbox, author);
  switch (switched.kind) {
    case 'switched':
      return { kind: 'go', to: paths.mailboxConnected(mailbox, { flash: 'over-graph' }) };
    case 'not-opened': {
      const { isApp, code } = switched;
      const to = isApp
        ? paths.appAccess({ id: mailbox.providerId }, { mailbox: mailbox.id, way: 'graph' })
        : paths.connectionTest(mailbox, { flash: 'graph-not-opened', code });
      return { kind: 'go', to };
    }
    case 'ask':
      return switched;
    case 'none':
      return { kind: 'go', to: paths.connectionTest(mailbox, { flash: 'no-graph' }) };
  }
}

async function sendNext(c: PageContext, mailbox: Mailbox, author: MailboxAuthor): Promise<Next> {
  const switched = await switchSendingToGraph(c.get('services'), mailbox, author);
  switch (switched.kind) {
    case 'switched':
      return { kind: 'go', to: paths.mailboxConnected(mailbox, { flash: 'sends-over-graph' }) };
    case 'not-sent':
      return {
        kind: 'go',
        to: paths.connectionTest(mailbox, { flash: 'graph-not-sent', code: switched.code }),
      };
    case 'ask':
      return switched;
    case 'none':
      return { kind: 'go', to: paths.connectionTest(mailbox, { flash: 'no-graph' }) };
  }
}

async function authorOf(c: PageContext): Promise<MailboxAuthor> {
  const choices = await accountChoices(c.get('services'));
  return {
    by: c.get('principal'),
    accountName: ({ providerId, accountId }) =>
      choices.find(({ value }) => value === `${providerId}.${accountId}`)?.label,
  };
}

async function mailboxOf(c: PageContext, id: string): Promise<Mailbox | undefined> {
  return /^[a-z2-7]{26}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}
