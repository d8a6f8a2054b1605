import type { Context } from 'hono';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { ConnectRequest, ConsentAttempt } from '../../../shared/consent/consent.ts';
import { explainOutcome } from '../../../shared/consent/explain-outcome.ts';
import { type FailedOutcome, messageFor } from '../../../shared/consent/outcome-messages.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { Reader } from '../../../shared/explanations/fixer-text.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { Facts } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import type { WebEnvironment } from '../../http/web-environment.ts';
import { explainContext } from '../errors/explain-context.ts';
import { CANCELLED, ExplanationView } from '../errors/explanation-view.tsx';
import { ConnectRequestFields, connectRequestFor } from './connect-request-fields.tsx';
import { onlyInvitationOf } from './consent-cookies.ts';

/** Explains an error of this sign-in, with the ids of its provider and mailbox. */
export async function explainedFor(
  c: Context<WebEnvironment>,
  outcome: Parameters<typeof explainOutcome>[0],
  parameters: URLSearchParams,
): Promise<Explanation | undefined> {
  const { providers, config } = c.get('services');
  const connectRequest = connectRequestOf(outcome);
  const named = 'provider' in outcome ? outcome.provider : undefined;
  const provider = named ?? (connectRequest && (await providers.get(connectRequest.providerId)));
  const about = {
    config,
    provider,
    mailbox: connectRequest?.address,
    redirectUri: redirectUriOf(config, provider),
  };
  return explainOutcome(outcome, parameters, explainContext(about));
}

function connectRequestOf(outcome: Parameters<typeof explainOutcome>[0]): ConnectRequest | undefined {
  if ('connectRequest' in outcome) return outcome.connectRequest;
  return 'approval' in outcome ? outcome.approval?.connectRequest : undefined;
}

/** A consent that did not connect: what happened, what it means, and the one next step. */
export async function outcomePage(
  c: Context<WebEnvironment>,
  outcome: FailedOutcome,
  parameters: URLSearchParams,
): Promise<string> {
  return outcomeView(c, outcome, await explainedFor(c, outcome, parameters));
}

/** The same, with the catalogue's explanation, if there is one. */
export function outcomeView(
  c: Context<WebEnvironment>,
  outcome: FailedOutcome,
  explained: Explanation | undefined,
): string {
  const attempt = 'connectRequest' in outcome ? outcome : undefined;
  const invitation = attempt === undefined ? onlyInvitationOf(c) : invitationOf(attempt);
  const signedIn: Principal | undefined = c.get('principal');
  const invited =
    attempt === undefined
      ? invitation !== undefined && signedIn === undefined
      : attempt.startedBy.kind === 'invitation';
  const reader: Reader = invited ? 'mailbox-owner' : 'admin';
  const words = messageFor(outcome, reader);
  // Someone who pressed Cancel knows what happened, and continues from the invitation.
  const isOwners = explained?.code !== CANCELLED && outcome.kind !== 'vault-away';
  const explanation = invited && !isOwners ? undefined : explained;
  return renderPage(
    <Page
      title={explanation?.title ?? words.title}
      // A mailbox owner sees only the sign-in, even when signed in to Postroom.
      principal={invited ? undefined : signedIn}
      place="providers"
    >
      <p>{words.happened}</p>
      {explanation === undefined ? (
        <>
          {outcome.kind === 'other-identity' ? <Identities outcome={outcome} /> : null}
          {outcome.kind === 'unnamed-account' ? (
            <Facts items={[{ term: 'Signed-in subject', detail: outcome.subject }]} />
          ) : null}
          {words.said === undefined ? null : (
            <Facts items={[{ term: 'Provider message', detail: words.said }]} />
          )}
          <p>{words.next}</p>
        </>
      ) : (
        <ExplanationView
          explanation={explanation}
          titled={false}
          reader={reader}
          ending="Start the sign-in again."
        />
      )}
      {invited ? (
        <InvitationAgain
          invitation={invitation}
          wrongAccount={outcome.kind === 'other-account' || outcome.kind === 'other-identity'}
          unnamed={outcome.kind === 'unnamed-account' ? outcome.accountId : undefined}
        />
      ) : attempt === undefined ? (
        <p>
          <ButtonLink href={paths.providers()}>View providers</ButtonLink>
        </p>
      ) : (
        <Again outcome={outcome} attempt={attempt} />
      )}
    </Page>,
  );
}

const invitationOf = ({ startedBy }: ConsentAttempt): string | undefined =>
  startedBy.kind === 'invitation' ? startedBy.key : undefined;

/** Two accounts of one name differ only in their directory ids. */
function Identities(props: { outcome: Extract<FailedOutcome, { kind: 'other-identity' }> }): JSX.Element {
  const { before, now } = props.outcome;
  const idOf = ({ tenantId, objectId, subject }: typeof before): string =>
    objectId === undefined ? subject : `${objectId}, tenant ${tenantId ?? 'unknown'}`;
  return (
    <Facts
      items={[
        { term: 'Connected before', detail: idOf(before) },
        { term: 'Signed in now', detail: idOf(now) },
      ]}
    />
  );
}

function InvitationAgain(props: {
  invitation: string | undefined;
  wrongAccount: boolean;
  unnamed: string | undefined;
}): JSX.Element {
  if (props.invitation === undefined)
    return <p>Open your invitation link again: it stays valid until you have signed in.</p>;
  if (props.unnamed !== undefined)
    return (
      <form method="post" action={paths.acceptInvitation({ key: props.invitation })}>
        <input type="hidden" name="confirmed" value={props.unnamed} />
        <SubmitButton>Yes, this is my account</SubmitButton>
      </form>
    );
  if (props.wrongAccount)
    return (
      <form method="post" action={paths.acceptInvitation({ key: props.invitation })}>
        <input type="hidden" name="choose" value="on" />
        <SubmitButton>Use a different account</SubmitButton>
      </form>
    );
  return (
    <p>
      <ButtonLink href={paths.acceptInvitation({ key: props.invitation })}>Back to the invitation</ButtonLink>
    </p>
  );
}

function Again(props: { outcome: FailedOutcome; attempt: ConsentAttempt }): JSX.Element {
  const { outcome, attempt } = props;
  const { connectRequest } = attempt;
  const path = paths.connect({ id: connectRequest.providerId });
  if (outcome.kind === 'other-account' || outcome.kind === 'other-identity') {
    const { signedIn, accountId } = outcome;
    const replaces = outcome.kind === 'other-identity' || connectRequest.reconnect !== undefined;
    return (
      <>
        <form method="post" action={path}>
          <ConnectRequestFields connectRequest={connectRequest} choose />
          <SubmitButton>Use a different account</SubmitButton>
        </form>
        <form method="post" action={path}>
          <ConnectRequestFields
            connectRequest={connectRequestFor(
              connectRequest,
              signedIn,
              replaces ? { kind: 'this', accountId } : undefined,
            )}
          />
          <SubmitButton kind="secondary">
            {replaces ? `Replace the previous account with ${signedIn}` : 'This is a shared mailbox'}
          </SubmitButton>
        </form>
      </>
    );
  }
  if (outcome.kind === 'unnamed-account')
    return (
      <>
        <form method="post" action={path}>
          <ConnectRequestFields
            connectRequest={{ ...connectRequest, chooseAccount: false, confirmed: outcome.accountId }}
          />
          <SubmitButton>{`Yes, this is the account of ${connectRequest.signIn}`}</SubmitButton>
        </form>
        <form method="post" action={path}>
          <ConnectRequestFields connectRequest={connectRequest} choose />
          <SubmitButton kind="secondary">Use a different account</SubmitButton>
        </form>
      </>
    );
  const again = paths.connect(
    { id: connectRequest.providerId },
    connectRequest.reconnect === undefined
      ? { address: connectRequest.address }
      : { mailbox: connectRequest.reconnect.mailboxId },
  );
  // The link leads through Postroom's sign-in, like every page when signed out.
  if (outcome.kind === 'signed-out')
    return (
      <p>
        <ButtonLink href={again}>Sign in and start again</ButtonLink>
      </p>
    );
  const atProvider = ['failed', 'secret-missing', 'untrusted', 'vault-away'].includes(outcome.kind);
  return (
    <p class="actions">
      <ButtonLink href={again}>Try again</ButtonLink>
      <ButtonLink
        href={atProvider ? paths.provider({ id: connectRequest.providerId }) : paths.mailboxes()}
        kind="secondary"
      >
        {atProvider ? 'View provider' : 'View mailboxes'}
      </ButtonLink>
    </p>
  );
}
