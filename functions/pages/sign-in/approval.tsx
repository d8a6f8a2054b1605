import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Approval } from '../../../shared/consent/approval.ts';
import { approvalLink } from '../../../shared/consent/ask-approval.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { CopyText } from '../../../shared/ui/copy.tsx';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import type { RouteContext } from '../../http/web-environment.ts';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { ConnectRequestFields } from './connect-request-fields.tsx';
import { outcomePage } from './outcome-view.tsx';

/** The page of a sign-in that waits for admin consent, and continues from here. */
export async function showApproval(c: RouteContext<'approval'>): Promise<Response> {
  const services = c.get('services');
  const approval = (await services.approvals.get(c.req.param('key')))?.approval;
  const provider = approval && (await services.providers.get(approval.connectRequest.providerId));
  if (approval?.startedBy.kind !== 'principal' || provider === undefined) return c.notFound();
  const asked = await approvalLink(services, provider, approval);
  if (asked.kind === 'vault-away') return c.html(await outcomePage(c, asked, new URLSearchParams()), 503);
  return c.html(approvalPage({ principal: c.get('principal'), provider, approval, link: asked.link }));
}

function approvalPage(view: {
  principal: Principal;
  provider: Provider;
  approval: Approval;
  link: string | undefined;
}): string {
  const { provider, approval, link } = view;
  const { connectRequest, grantedAt, explanation } = approval;
  return renderPage(
    <Page
      title={grantedAt === undefined ? 'Admin consent required' : 'Admin consent granted'}
      principal={view.principal}
      place="providers"
    >
      {grantedAt === undefined ? (
        <AskAdmin approval={approval} link={link} reader="admin" />
      ) : (
        <p>
          Consent was granted <Time at={grantedAt} />. Sign in once more to finish connecting{' '}
          {connectRequest.address}.
        </p>
      )}
      <form method="post" action={paths.connect(provider)}>
        <ConnectRequestFields connectRequest={connectRequest} />
        <div class="actions">
          <SubmitButton kind={grantedAt === undefined ? 'secondary' : 'primary'}>
            {grantedAt === undefined ? 'Sign in again' : `Continue as ${connectRequest.signIn}`}
          </SubmitButton>
          {grantedAt === undefined ? (
            <ButtonLink href={paths.approval(approval)} kind="secondary">
              Check again
            </ButtonLink>
          ) : null}
        </div>
      </form>
      {grantedAt !== undefined || explanation === undefined ? null : (
        <details>
          <summary>Provider message</summary>
          <ExplanationView explanation={explanation} />
        </details>
      )}
    </Page>,
  );
}

/** The link for the tenant admin, with a prepared email. */
export function AskAdmin(props: {
  approval: Approval;
  link: string | undefined;
  reader: 'admin' | 'mailbox-owner';
}): JSX.Element {
  const { approval, link } = props;
  const mail = new URLSearchParams({
    subject: 'Please approve Postroom for our email',
    body: `Postroom turns email sent to ${approval.connectRequest.address} into tickets. In our organization, only administrators can grant this access. Please open this link and choose “Accept”:\n\n${link ?? ''}`,
  });
  return (
    <>
      <p>
        In the organization of {approval.connectRequest.address}, only administrators can give an app access
        to email. Nothing was changed.
      </p>
      {link === undefined ? (
        <p>The link has expired. Sign in again to get a new one.</p>
      ) : (
        <>
          <p>
            Send this link to a Cloud Application Administrator, an Application Administrator or a Global
            Administrator there. They open it and choose “Accept”; they do not need access to Postroom. The
            link is valid until <Time at={approval.expiresAt} />.
          </p>
          <CopyText label="Link for the admin" value={link} />
          <p>
            <a href={`mailto:?${mail.toString().replaceAll('+', '%20')}`}>Send by email</a>
          </p>
        </>
      )}
      <p>
        {props.reader === 'admin'
          ? 'This page shows when consent is granted. You can close it and come back.'
          : 'Open your invitation link again later. It shows when consent is granted, and you continue from there.'}
      </p>
    </>
  );
}
