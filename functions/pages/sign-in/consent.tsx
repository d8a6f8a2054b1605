/** The connect form, the redirect to the provider, and the creation of invitations. */
import { appAccountId } from '../../../shared/accounts/app-account.ts';
import { parseConnectForm } from '../../../shared/consent/connect-form.ts';
import type { ConnectRequest } from '../../../shared/consent/consent.ts';
import { waysInUse } from '../../../shared/consent/further-ways.ts';
import { buildAuthorizationUrl, startConsent } from '../../../shared/consent/start-consent.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { type Protocol, presetNamed } from '../../../shared/providers/presets.ts';
import { type Provider, waysOf } from '../../../shared/providers/provider.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import { createInvitation } from '../../use-cases/invite-owner.ts';
import { connectFields, connectPage, overPage, redirectPage } from './connect-views.tsx';
import { consentCookieOf, keepConsentCookie, keepLinkCookie } from './consent-cookies.ts';
import { outcomePage } from './outcome-view.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  saved: { kind: 'success', text: 'Provider saved. Now connect a mailbox.' },
};

export async function showConnectForm(c: RouteContext<'connect'>): Promise<Response> {
  const provider = await c.get('services').providers.get(c.req.param('id'));
  if (provider === undefined) return c.notFound();
  // A draft's own page says what is missing.
  if (provider.state === 'draft') return c.redirect(paths.provider(provider), 303);
  const mailbox = await mailboxOf(c, c.req.query('mailbox'));
  // This mailbox uses app-only access, which has its own page.
  if (mailbox?.accountId === appAccountId(provider))
    return c.redirect(paths.appAccess(provider, { mailbox: mailbox.id }), 303);
  const typed = await proposedFields(c, provider);
  return c.html(
    connectPage({
      principal: c.get('principal'),
      provider,
      preset: presetNamed(provider.preset, c.get('services').config, provider.cloud),
      typed,
      errors: {},
      flash: flashOf(c, flashes),
    }),
  );
}

export async function startSignIn(c: RouteContext<'connect'>): Promise<Response> {
  const asked = await askedFor(c, c.req.param('id'));
  if (asked instanceof Response) return asked;
  const startedBy = { kind: 'principal', id: c.get('principal').id } as const;
  const started = await startConsent(c.get('services'), asked.connectRequest, startedBy);
  if (started.kind !== 'started') return c.html(await outcomePage(c, started, new URLSearchParams()), 503);
  keepConsentCookie(c, started.key, started.cookie);
  return c.redirect(paths.handover({ key: started.key }), 303);
}

// Answered by a redirect, so that a reload makes no second invitation. The token is in no address and in no
// table: a cookie brings it to the page that shows the link.
export async function inviteOwner(c: RouteContext<'createInvitation'>): Promise<Response> {
  const asked = await askedFor(c, c.req.param('id'));
  if (asked instanceof Response) return asked;
  const { id, name } = c.get('principal');
  const { invitation, token } = await createInvitation(
    c.get('services'),
    { ...asked.connectRequest, chooseAccount: false },
    asked.provider,
    { id, name },
  );
  keepLinkCookie(c, invitation.key, token);
  return c.redirect(paths.invitation(invitation), 303);
}

export async function showHandover(c: RouteContext<'handover'>): Promise<Response> {
  const key = c.req.param('key');
  const principal = c.get('principal');
  const handover = await buildAuthorizationUrl(c.get('services'), key, {
    cookie: consentCookieOf(c, key),
    initiator: { kind: 'principal', id: principal.id },
  });
  switch (handover.kind) {
    case 'address':
      return c.html(redirectPage({ principal, signIn: handover.connectRequest.signIn, ...handover }));
    case 'over':
      return c.html(overPage(principal), 410);
    case 'failed':
      return c.html(await outcomePage(c, handover, new URLSearchParams()), 502);
    case 'vault-away':
      return c.html(await outcomePage(c, handover, new URLSearchParams()), 503);
  }
}

/** The submitted connect request, or the form again with its errors. */
async function askedFor(
  c: PageContext,
  providerId: string,
): Promise<{ provider: Provider; connectRequest: ConnectRequest } | Response> {
  const provider = await c.get('services').providers.get(providerId);
  if (provider === undefined || provider.state === 'draft') return c.notFound();
  const typed = await formData(c);
  const mailbox = await mailboxOf(c, typed['mailbox']);
  const parsed = parseConnectForm(typed, await usualWays(c, provider, mailbox));
  if (parsed.kind === 'invalid')
    return c.html(
      connectPage({
        principal: c.get('principal'),
        provider,
        preset: presetNamed(provider.preset, c.get('services').config, provider.cloud),
        typed,
        errors: parsed.errors,
      }),
      422,
    );
  const reconnect = mailbox && { mailboxId: mailbox.id, accountId: mailbox.accountId };
  return { provider, connectRequest: { ...parsed.connectRequest, providerId: provider.id, reconnect } };
}

async function proposedFields(c: PageContext, provider: Provider): Promise<Record<string, string>> {
  const mailbox = await mailboxOf(c, c.req.query('mailbox'));
  const usual = connectFields(provider, await usualWays(c, provider, mailbox));
  if (mailbox === undefined) return { ...usual, address: c.req.query('address') ?? '' };
  const account = (await c.get('services').accounts.get(mailbox))?.account;
  const shared = account !== undefined && account.user.toLowerCase() !== mailbox.address.toLowerCase();
  return {
    ...usual,
    address: mailbox.address,
    mailbox: mailbox.id,
    ...(shared && { who: 'shared', signIn: account.user }),
  };
}

/** What the form proposes: what the account is in use for, or for a new mailbox what its provider is for. */
async function usualWays(
  c: PageContext,
  provider: Provider,
  mailbox: Mailbox | undefined,
): Promise<readonly Protocol[]> {
  if (mailbox === undefined) return waysOf(provider);
  const { accounts, mailboxes } = c.get('services');
  const [stored, all] = await Promise.all([accounts.get(mailbox), mailboxes.list()]);
  return waysInUse({ ...mailbox, scopes: stored?.account.scopes ?? [] }, all);
}

async function mailboxOf(c: PageContext, id: string | undefined): Promise<Mailbox | undefined> {
  if (id === undefined || !/^[a-z2-7]{26}$/.test(id)) return undefined;
  const mailbox = await c.get('services').mailboxes.get(id);
  return mailbox?.providerId === c.req.param('id') ? mailbox : undefined;
}
