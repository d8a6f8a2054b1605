/** “Read over Microsoft Graph instead”, and its end after a sign-in. */
import { startConsent } from '../../../shared/consent/start-consent.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { type GraphSwitch, switchToGraph } from '../../use-cases/read-over-graph.ts';
import { keepConsentCookie } from '../sign-in/consent-cookies.ts';
import { outcomePage } from '../sign-in/outcome-view.tsx';
import { accountChoices } from './mailbox-accounts.ts';

export async function readOverGraph(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c, c.req.param('id') ?? '');
  if (mailbox === undefined) return c.notFound();
  const switched = await switchFor(c, mailbox);
  if (switched.kind !== 'ask') return c.redirect(placeAfter(mailbox, switched), 303);
  const startedBy = { kind: 'principal', id: c.get('principal').id } as const;
  const started = await startConsent(services, switched.connectRequest, startedBy);
  if (started.kind !== 'started') return c.html(await outcomePage(c, started, new URLSearchParams()), 503);
  keepConsentCookie(c, started.key, started.cookie);
  return c.redirect(paths.handover({ key: started.key }), 303);
}

/** Where the browser goes when the sign-in for Microsoft Graph is over: the switch was made, or it says why not. */
export async function finishReadOverGraph(c: PageContext, mailboxId: string): Promise<string> {
  const mailbox = await mailboxOf(c, mailboxId);
  if (mailbox === undefined) return paths.mailboxes();
  return placeAfter(mailbox, await switchFor(c, mailbox));
}

async function switchFor(c: PageContext, mailbox: Mailbox): Promise<GraphSwitch> {
  const services = c.get('services');
  const choices = await accountChoices(services);
  return switchToGraph(services, mailbox, {
    by: c.get('principal'),
    accountName: ({ providerId, accountId }) =>
      choices.find(({ value }) => value === `${providerId}.${accountId}`)?.label,
  });
}

function placeAfter(mailbox: Mailbox, switched: GraphSwitch): string {
  switch (switched.kind) {
    case 'switched':
      return paths.mailboxConnected(mailbox, { flash: 'over-graph' });
    case 'not-opened':
      return switched.isApp
        ? paths.appAccess({ id: mailbox.providerId }, { mailbox: mailbox.id, way: 'graph' })
        : paths.connectionTest(mailbox, { flash: 'graph-not-opened', code: switched.code });
    case 'ask':
      return paths.connectionTest(mailbox, { flash: 'graph-not-granted' });
    case 'none':
      return paths.connectionTest(mailbox, { flash: 'no-graph' });
  }
}

async function mailboxOf(c: PageContext, id: string): Promise<Mailbox | undefined> {
  return /^[a-z2-7]{26}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}
