/** Invitations: the pages for mailbox owners, and the list for admins. */
import { approvalLink } from '../../../shared/consent/ask-approval.ts';
import { confirmedIn } from '../../../shared/consent/connect-form.ts';
import {
  type Invitation,
  invitationKey,
  invitationLink,
  stateOfInvitation,
  tokenIn,
} from '../../../shared/consent/invitation.ts';
import { buildAuthorizationUrl, startConsent } from '../../../shared/consent/start-consent.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import { recordRefusal } from '../../http/record-refusal.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import { revokeInvitation } from '../../use-cases/invite-owner.ts';
import { redirectPage } from './connect-views.tsx';
import { holdsInvitation, keepConsentCookie, keepInvitationCookie, newTokenOf } from './consent-cookies.ts';
import {
  invitationLinkPage,
  invitationListPage,
  invitationOverPage,
  invitationPage,
  openInvitationPage,
} from './invitation-views.tsx';
import { outcomePage } from './outcome-view.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  revoked: { kind: 'success', text: 'Invitation revoked. Its link no longer works.' },
  'link-gone': {
    kind: 'warning',
    text: 'An invitation link is shown only once, right after it is created. Revoke the invitation and create a new one.',
  },
  over: { kind: 'warning', text: 'That invitation was no longer open.' },
};

export async function openInvitationLink(c: PageContext): Promise<Response> {
  const token = tokenIn((await formData(c))['link'] ?? '');
  const key = token && invitationKey(token.expose());
  const known = key !== undefined && (await c.get('services').invitations.get(key)) !== undefined;
  if (token === undefined || !known) return c.html(invitationOverPage('unknown'), 404);
  keepInvitationCookie(c, token);
  return c.redirect(paths.acceptInvitation({ key }), 303);
}

export async function showInvitation(c: PageContext): Promise<Response> {
  const open = await openInvitation(c);
  if (open instanceof Response) return open;
  const { invitation, provider } = open;
  const services = c.get('services');
  const approval =
    invitation.approvalKey === undefined
      ? undefined
      : (await services.approvals.get(invitation.approvalKey))?.approval;
  if (approval === undefined)
    return c.html(invitationPage({ invitation, provider, approval, link: undefined }));
  const asked = await approvalLink(services, provider, approval);
  if (asked.kind === 'vault-away') return c.html(await outcomePage(c, asked, new URLSearchParams()), 503);
  return c.html(invitationPage({ invitation, provider, approval, link: asked.link }));
}

// The redirect page is the response itself: without a role, only the addresses of invitations are open.
export async function acceptInvitation(c: PageContext): Promise<Response> {
  const open = await openInvitation(c);
  if (open instanceof Response) return open;
  const services = c.get('services');
  const initiator = { kind: 'invitation', key: open.invitation.key } as const;
  // After a wrong account: show the provider's account picker.
  const typed = await formData(c);
  const chooseAccount = typed['choose'] === 'on';
  const connectRequest = { ...open.invitation.connectRequest, chooseAccount, confirmed: confirmedIn(typed) };
  const started = await startConsent(services, connectRequest, initiator);
  if (started.kind !== 'started')
    return c.html(await outcomePage(c, started, new URLSearchParams()), statusOf[started.kind]);
  const { key, cookie } = started;
  keepConsentCookie(c, key, cookie);
  const handover = await buildAuthorizationUrl(services, key, { cookie, initiator });
  switch (handover.kind) {
    case 'address': {
      const { providerName, url, connectRequest } = handover;
      return c.html(redirectPage({ principal: undefined, providerName, signIn: connectRequest.signIn, url }));
    }
    case 'over':
      return c.html(invitationOverPage('gone'), 410);
    case 'failed':
      return c.html(await outcomePage(c, handover, new URLSearchParams()), 502);
    case 'vault-away':
      return c.html(await outcomePage(c, handover, new URLSearchParams()), 503);
  }
}

export async function showInvitations(c: PageContext): Promise<Response> {
  const { invitations, mailboxes, providers, seam } = c.get('services');
  const [all, boxes, known] = await Promise.all([invitations.list(), mailboxes.list(), providers.list()]);
  return c.html(
    invitationListPage({
      principal: c.get('principal'),
      invitations: all,
      mailboxes: boxes,
      providers: known,
      now: seam.now(),
      flash: flashOf(c, flashes),
    }),
  );
}

export async function showInvitationLink(c: RouteContext<'invitation'>): Promise<Response> {
  const { invitations, providers, config } = c.get('services');
  const key = c.req.param('key');
  const token = newTokenOf(c, key);
  const invitation = (await invitations.get(key))?.invitation;
  const provider = invitation && (await providers.get(invitation.connectRequest.providerId));
  if (token === undefined || invitation === undefined || provider === undefined)
    return c.redirect(paths.invitations({ flash: 'link-gone' }), 303);
  const link = invitationLink(config, token);
  return c.html(invitationLinkPage({ principal: c.get('principal'), provider, invitation, link }));
}

export async function revokeOpenInvitation(c: RouteContext<'revokeInvitation'>): Promise<Response> {
  const { id, name } = c.get('principal');
  if (!(await revokeInvitation(c.get('services'), c.req.param('key'), { id, name })))
    return c.redirect(paths.invitations({ flash: 'over' }), 303);
  return c.redirect(paths.invitations({ flash: 'revoked' }), 303);
}
// The target of the link. Its token is after `#`: the page's script posts it; without script, the person pastes the link.
export const showOpenInvitation = (c: PageContext): Response => c.html(openInvitationPage());

const statusOf = { 'vault-away': 503, 'too-many': 429, 'invitation-over': 410 } as const;

/** The open invitation, for a browser that has opened its link; otherwise a page that says why not. */
async function openInvitation(
  c: PageContext,
): Promise<{ invitation: Invitation; provider: Provider } | Response> {
  const { invitations, providers, seam } = c.get('services');
  const key = c.req.param('key') ?? '';
  const stored = holdsInvitation(c, key) ? await invitations.get(key) : undefined;
  if (stored === undefined) {
    recordRefusal(c, 'unknown-invitation');
    return c.html(invitationOverPage('unknown'), 404);
  }
  const { invitation } = stored;
  const state = stateOfInvitation(invitation, seam.now());
  if (state !== 'open') return c.html(invitationOverPage(state), state === 'done' ? 200 : 410);
  const provider = await providers.get(invitation.connectRequest.providerId);
  return provider === undefined ? c.html(invitationOverPage('gone'), 410) : { invitation, provider };
}
