import { type Context, Hono } from 'hono';
import { approvalLink } from '../../shared/consent/ask-approval.ts';
import { type Invitation, invitationKey, stateOfInvitation } from '../../shared/consent/invitation.ts';
import { revokeInvitation } from '../../shared/consent/invite.ts';
import { handoverOf, startConsent } from '../../shared/consent/start-consent.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import type { Flash } from '../../shared/ui/page.tsx';
import { requireRole } from '../guard.ts';
import { noteRefusal } from '../note-refusal.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { handoverPage } from './connect-views.tsx';
import { keepConsentCookie, keepInvitationCookie } from './consent-cookies.ts';
import { invitationListPage, invitationOverPage, invitationPage } from './invitation-views.tsx';
import { outcomePage } from './outcome-view.tsx';
import { recordChange } from './record-change.ts';
import { flashOf, typedFields } from './typed-fields.ts';

type InvitationContext = Context<WebEnvironment>;
const TOKEN = /^[\w-]{43}$/;

const said: Readonly<Record<string, Flash>> = {
  revoked: { kind: 'success', text: 'The invitation is taken back. Its link does nothing any more.' },
  over: { kind: 'warning', text: 'That invitation was not open any more.' },
};

/** One-time links for owners of mailboxes: what they see, and the list of them for an admin. */
export function invitationPages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();

  pages.get('/invite/:token', async (c) => {
    const open = await openInvitation(c);
    if (open instanceof Response) return open;
    const { invitation, provider } = open;
    const services = c.get('services');
    const approval =
      invitation.approvalKey === undefined
        ? undefined
        : (await services.approvals.get(invitation.approvalKey))?.approval;
    const token = c.req.param('token');
    if (approval === undefined)
      return c.html(invitationPage({ invitation, provider, token, approval, link: undefined }));
    const asked = await approvalLink(services, provider, approval);
    if (asked.kind === 'vault-away') return c.html(await outcomePage(c, asked, new URLSearchParams()), 503);
    return c.html(invitationPage({ invitation, provider, token, approval, link: asked.link }));
  });

  // The hand-over is the answer itself: the only addresses open to strangers are those with the token.
  pages.post('/invite/:token', async (c) => {
    const open = await openInvitation(c);
    if (open instanceof Response) return open;
    const services = c.get('services');
    const traveller = { kind: 'invitation', key: open.invitation.key } as const;
    // After a wrong account: the provider's list of accounts in place of the one it knows already.
    const chooseAccount = (await typedFields(c))['choose'] === 'on';
    const wish = { ...open.invitation.wish, chooseAccount };
    const started = await startConsent(services, wish, traveller);
    if (started.kind === 'vault-away')
      return c.html(await outcomePage(c, started, new URLSearchParams()), 503);
    const { key, cookie } = started;
    keepConsentCookie(c, key, cookie);
    keepInvitationCookie(c, new Secret(c.req.param('token')));
    const handover = await handoverOf(services, key, { cookie, traveller });
    switch (handover.kind) {
      case 'address': {
        const { providerName, url, wish } = handover;
        return c.html(handoverPage({ principal: undefined, providerName, signIn: wish.signIn, url }));
      }
      case 'over':
        return c.html(invitationOverPage('gone'), 410);
      case 'failed':
        return c.html(await outcomePage(c, handover, new URLSearchParams()), 502);
      case 'vault-away':
        return c.html(await outcomePage(c, handover, new URLSearchParams()), 503);
    }
  });

  pages.get('/invitations', requireRole('admin'), async (c) => {
    const { invitations, mailboxes, providers, seam } = c.get('services');
    const [all, boxes, known] = await Promise.all([invitations.list(), mailboxes.list(), providers.list()]);
    return c.html(
      invitationListPage({
        principal: c.get('principal'),
        invitations: all,
        mailboxes: boxes,
        providers: known,
        now: seam.now(),
        flash: flashOf(c, said),
      }),
    );
  });

  pages.post('/invitations/:key/revoke', requireRole('admin'), async (c) => {
    const revoked = await revokeInvitation(c.get('services'), c.req.param('key'));
    if (revoked === undefined) return c.redirect('/invitations?said=over', 303);
    await recordChange(c, {
      action: 'revoked',
      subject: { kind: 'invitation', id: revoked.key, name: revoked.wish.address },
    });
    return c.redirect('/invitations?said=revoked', 303);
  });

  return pages;
}

/** The invitation of the address; a page that says why where there is none to go on with. */
async function openInvitation(
  c: InvitationContext,
): Promise<{ invitation: Invitation; provider: Provider } | Response> {
  const { invitations, providers, seam } = c.get('services');
  const token = c.req.param('token') ?? '';
  const stored = TOKEN.test(token) ? await invitations.get(invitationKey(token)) : undefined;
  if (stored === undefined) {
    noteRefusal(c, 'unknown-invitation');
    return c.html(invitationOverPage('unknown'), 404);
  }
  const { invitation } = stored;
  const state = stateOfInvitation(invitation, seam.now());
  if (state !== 'open') return c.html(invitationOverPage(state), state === 'done' ? 200 : 410);
  const provider = await providers.get(invitation.wish.providerId);
  return provider === undefined ? c.html(invitationOverPage('gone'), 410) : { invitation, provider };
}
