import type { JSX } from 'hono/jsx/jsx-runtime';
import type { ApprovalOutcome } from '../../../shared/consent/finish-approval.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import { Facts, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { CANCELLED, ExplanationView } from '../errors/explanation-view.tsx';

/**
 * What a tenant admin sees after admin consent. The admin may have no role in Postroom, so the page shows nothing else
 * of it and has no links.
 */
export function approvalOutcomePage(outcome: ApprovalOutcome, explanation: Explanation | undefined): string {
  return renderPage(
    <Page title={titles[outcome.kind]}>
      <Words outcome={outcome} />
      {/* Someone who pressed Cancel knows what happened and needs no steps. */}
      {explanation === undefined || explanation.code === CANCELLED ? null : (
        <ExplanationView explanation={explanation} reader="mailbox-owner" />
      )}
    </Page>,
  );
}

const titles: Readonly<Record<ApprovalOutcome['kind'], string>> = {
  granted: 'Thank you, access is granted',
  'set-up-granted': 'Thank you, access is granted',
  reported: 'Access is reported as granted',
  'granted-before': 'Access was already granted',
  'not-granted': 'Access was not granted',
  'other-tenant': 'Wrong organization',
  'approval-expired': 'This link has expired',
  'unknown-approval': 'Unknown link',
  'provider-missing': 'This link is no longer valid',
};

function Words(props: { outcome: ApprovalOutcome }): JSX.Element {
  const { outcome } = props;
  switch (outcome.kind) {
    case 'granted':
      return (
        <p>
          Postroom can now read and send email for users in your organization who sign in to it. The owner of{' '}
          {outcome.approval.connectRequest.address} can continue. You can close this page.
        </p>
      );
    case 'set-up-granted':
      return (
        <p>
          Postroom can now read and send email for users in your organization who sign in to it. The person
          who is setting it up sees this on the provider’s page. You can close this page.
        </p>
      );
    case 'reported':
      return (
        <p>
          There is nothing left to do; you can close this page. The first mailbox sign-in will show what was
          granted.
        </p>
      );
    case 'granted-before':
      return (
        <p>
          Someone has already accepted
          {outcome.approval.grantedAt === undefined ? null : (
            <>
              {' '}
              (<Time at={outcome.approval.grantedAt} />)
            </>
          )}
          . There is nothing left to do; you can close this page.
        </p>
      );
    case 'not-granted':
      return (
        <p>
          Nothing was changed. The link is still valid: open it again and choose “Accept”, or tell the person
          who sent it that you decline.
        </p>
      );
    case 'other-tenant':
      return (
        <>
          <p>
            You signed in as an admin of a different organization, not of the organization of{' '}
            {outcome.approval?.connectRequest.address ?? 'the app that is being set up'}. Nothing was changed.
            Open the link again and sign in with an account of the right organization.
          </p>
          <Facts
            items={[
              { term: 'Signed in to', detail: outcome.tenant },
              { term: 'Expected', detail: outcome.expected },
            ]}
          />
        </>
      );
    case 'approval-expired':
      return (
        <p>
          The link is valid for seven days and only for the app registration it was created for. Ask the
          person who sent it for a new one.
        </p>
      );
    case 'unknown-approval':
      return (
        <p>
          Postroom did not create this link, so nothing was changed here. Your consent at the provider still
          counts: the mailbox owner can sign in now.
        </p>
      );
    case 'provider-missing':
      return <p>The provider or mailbox it was created for no longer exists. Nothing was changed.</p>;
  }
}
