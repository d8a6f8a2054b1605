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
import { outcomePage } from './outcome-view.tsx';
import { ConnectRequestFields } from './connect-request-fields.tsx';

/** Where a trip waits for an admin of the tenant, and goes on. */
export async function showApproval(c: RouteContext<'approval'>): Promise<Response> {
  const services = c.get('services');
  const approval = (await services.approvals.get(c.req.param('key')))?.approval;
  const provider = approval && (await services.providers.get(approval.wish.providerId));
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
  const { wish, grantedAt, explanation } = approval;
  return renderPage(
    <Page
      title={grantedAt === undefined ? 'An admin of the tenant has to agree first' : 'An admin has agreed'}
      principal={view.principal}
      place="providers"
    >
      {grantedAt === undefined ? (
        <AskAdmin approval={approval} link={link} reader="admin" />
      ) : (
        <p>
          Consent was granted <Time at={grantedAt} />. Sign in once more, and {wish.address} goes on where it
          stopped.
        </p>
      )}
      <form method="post" action={paths.connect(provider)}>
        <ConnectRequestFields wish={wish} />
        <div class="actions">
          <SubmitButton kind={grantedAt === undefined ? 'secondary' : 'primary'}>
            {grantedAt === undefined ? 'Sign in again' : `Go on as ${wish.signIn}`}
          </SubmitButton>
          {grantedAt === undefined ? (
            <ButtonLink href={paths.approval(approval)} kind="secondary">
              Has it been granted?
            </ButtonLink>
          ) : null}
        </div>
      </form>
      {grantedAt !== undefined || explanation === undefined ? null : (
        <details>
          <summary>What the provider said</summary>
          <ExplanationView explanation={explanation} />
        </details>
      )}
    </Page>,
  );
}

/** The link for the admin of the tenant, with what to say when sending it. */
export function AskAdmin(props: {
  approval: Approval;
  link: string | undefined;
  reader: 'admin' | 'mailbox-owner';
}): JSX.Element {
  const { approval, link } = props;
  const mail = new URLSearchParams({
    subject: 'Please approve Postroom for our mail',
    body: `Postroom turns the mail of ${approval.wish.address} into tickets. Our organization lets only administrators grant that. Please open this link and choose Accept:\n\n${link ?? ''}`,
  });
  return (
    <>
      <p>
        The organization of {approval.wish.address} lets only administrators grant an app access to mail.
        Nothing was saved, and no mail is touched.
      </p>
      {link === undefined ? (
        <p>The link that was made for it is too old. Sign in again, and a new one stands here.</p>
      ) : (
        <>
          <p>
            Send this link to a Cloud Application Administrator, an Application Administrator or a Global
            Administrator there. They open it and choose “Accept”; they need no access to Postroom. It is good
            until <Time at={approval.expiresAt} />.
          </p>
          <CopyText label="Link for the admin" value={link} />
          <p>
            <a href={`mailto:?${mail.toString().replaceAll('+', '%20')}`}>Send it by mail</a>
          </p>
        </>
      )}
      <p>
        {props.reader === 'admin'
          ? 'This page says when it is granted; you can close it and come back.'
          : 'Come back with the link of your invitation: it says when it is granted, and you go on from there.'}
      </p>
    </>
  );
}
