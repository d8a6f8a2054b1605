import type { JSX } from 'hono/jsx/jsx-runtime';
import type { ApprovalOutcome } from '../../../shared/consent/finish-approval.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import { Facts, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { CANCELLED, ExplanationView } from '../errors/explanation-view.tsx';

/**
 * What the admin of a tenant reads on coming back. Whoever it is need not be known to Postroom, so the page shows nothing
 * of it and leads nowhere.
 */
export function approvalOutcomePage(outcome: ApprovalOutcome, explanation: Explanation | undefined): string {
  return renderPage(
    <Page title={titles[outcome.kind]}>
      <Words outcome={outcome} />
      {/* Whoever pressed Cancel knows what happened, and the steps are somebody else's. */}
      {explanation === undefined || explanation.code === CANCELLED ? null : (
        <ExplanationView explanation={explanation} reader="mailbox-owner" />
      )}
    </Page>,
  );
}

const titles: Readonly<Record<ApprovalOutcome['kind'], string>> = {
  granted: 'Thank you, access is granted',
  'set-up-granted': 'Thank you, access is granted',
  told: 'Access is granted, as far as the provider says',
  'granted-before': 'Access was granted before',
  'not-granted': 'Access was not granted',
  'other-tenant': 'This is another organization',
  'approval-expired': 'This link is too old',
  'unknown-approval': 'This link is not known',
  'provider-missing': 'This link is over',
};

function Words(props: { outcome: ApprovalOutcome }): JSX.Element {
  const { outcome } = props;
  switch (outcome.kind) {
    case 'granted':
      return (
        <p>
          Postroom may now read and send mail for people of your organization who sign in to it. The owner of{' '}
          {outcome.approval.wish.address} can go on. You can close this page.
        </p>
      );
    case 'set-up-granted':
      return (
        <p>
          Postroom may now read and send mail for people of your organization who sign in to it. Whoever sets
          it up sees that on the page of the provider. You can close this page.
        </p>
      );
    case 'told':
      return (
        <p>
          Nothing is left to do here; you can close this page. The first sign-in of a mailbox shows Postroom
          what was granted.
        </p>
      );
    case 'granted-before':
      return (
        <p>
          Somebody has accepted already
          {outcome.approval.grantedAt === undefined ? null : (
            <>
              {' '}
              (<Time at={outcome.approval.grantedAt} />)
            </>
          )}
          . Nothing is left to do; you can close this page.
        </p>
      );
    case 'not-granted':
      return (
        <p>
          Nothing was changed. The link stays good: open it again and choose “Accept”, or tell whoever sent it
          that you decline.
        </p>
      );
    case 'other-tenant':
      return (
        <>
          <p>
            You signed in as an admin of another organization than that of{' '}
            {outcome.approval?.wish.address ?? 'the app that is being set up'}. Nothing was changed here. Open
            the link again and sign in with an account of the right one.
          </p>
          <Facts
            items={[
              { term: 'Signed in at', detail: outcome.tenant },
              { term: 'Expected', detail: outcome.expected },
            ]}
          />
        </>
      );
    case 'approval-expired':
      return (
        <p>
          Such a link is good for seven days, and for the app registration that it was made for. Ask whoever
          sent it for a new one.
        </p>
      );
    case 'unknown-approval':
      return (
        <p>
          Postroom has made no such link, so nothing was changed here. What was accepted at the provider
          counts all the same: the owner of the mailbox can sign in now.
        </p>
      );
    case 'provider-missing':
      return <p>What it was made for does not exist any more. Nothing was changed.</p>;
  }
}
