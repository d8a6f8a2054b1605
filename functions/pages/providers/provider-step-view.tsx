import type { JSX } from 'hono/jsx/jsx-runtime';
import { canSignInAsApp } from '../../../shared/accounts/app-account.ts';
import type { TrustedIdentity } from '../../../shared/accounts/trusted-identity.ts';
import type { LinkName } from '../../../shared/explanations/links.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { ChecklistStep } from '../../../shared/providers/checklist.ts';
import { type Credential, thumbprintOf } from '../../../shared/providers/credential.ts';
import { type Permission, permissionsFor } from '../../../shared/providers/permissions.ts';
import { traitsOf } from '../../../shared/providers/presets.ts';
import { exchangeAudienceOf, type Provider, waysOf } from '../../../shared/providers/provider.ts';
import { CopyText } from '../../../shared/ui/copy.tsx';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { Time } from '../../../shared/ui/lists.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import { credentialNoun } from './provider-credential-fields.tsx';
import { portalLink } from './provider-links.ts';
import { ExpiryState } from './provider-list-view.tsx';

/** What a step needs from its page. */
interface StepView {
  provider: Provider;
  redirectUri: string;
  /** The link for a tenant admin; undefined when consent is not needed or cannot be requested. */
  approvalLink: string | undefined;
  /** What to enter for the managed identity, when it is a credential. */
  identity: TrustedIdentity | undefined;
  now: number;
}

/** Its pages in Microsoft's portal are known. */
const hasPortal = (provider: Provider): boolean => traitsOf(provider).guide?.kind === 'entra-portal';
const hasTenant = (provider: Provider): boolean => traitsOf(provider).shape === 'entra';

/** The title of a step for this kind of provider. */
export function stepTitle({ provider }: StepView, { name }: ChecklistStep): string {
  const byTenant = hasTenant(provider);
  switch (name) {
    case 'tenant':
      return byTenant ? 'Tenant found' : 'Provider responds';
    case 'client':
      return byTenant ? 'Client ID found in the tenant' : 'Client ID accepted';
    case 'redirect':
      return 'Redirect URI registered';
    case 'permissions':
      return byTenant ? 'Permissions granted (admin consent)' : 'Scopes granted';
    case 'credential':
      return provider.credential === undefined
        ? 'Credential entered'
        : `Credential accepted: ${credentialNoun(provider.credential)}`;
    case 'next-credential':
      return provider.nextCredential === undefined
        ? 'New credential'
        : `New credential: ${credentialNoun(provider.nextCredential)}`;
    case 'sign-in':
      return 'Mailbox owner signed in';
    case 'mailbox':
      return 'Mailbox opened and read';
  }
}

/** What is known about a step. While it is open: the exact values to copy, and the page to enter them on. */
export function StepBody(props: { view: StepView; step: ChecklistStep }): JSX.Element {
  const { view, step } = props;
  const { provider } = view;
  switch (step.name) {
    case 'tenant':
      return <p>{provider.tenant ?? issuerOf(provider) ?? 'Not entered yet.'}</p>;
    case 'client':
      return (
        <>
          <p>{provider.clientId === '' ? 'Not entered yet.' : provider.clientId}</p>
          {hasPortal(provider) ? <PortalPage name="app" provider={provider} /> : null}
        </>
      );
    case 'redirect':
      return <RedirectStep view={view} step={step} />;
    case 'permissions':
      return <PermissionsStep view={view} step={step} />;
    case 'credential':
      return <CredentialStep view={view} credential={provider.credential} open={step.state !== 'proven'} />;
    case 'next-credential':
      return <NextCredentialStep view={view} />;
    case 'sign-in':
      return <SignInStep provider={provider} step={step} />;
    case 'mailbox':
      return <MailboxStep step={step} />;
  }
}

function issuerOf({ endpoints }: Provider): string | undefined {
  return endpoints?.kind === 'manual' ? endpoints.token : endpoints?.issuer;
}

function PortalPage(props: { name: LinkName; provider: Provider }): JSX.Element {
  const { label, href } = portalLink(props.name, props.provider);
  return (
    <p>
      <OutsideLink href={href}>{label}</OutsideLink>
    </p>
  );
}

function RedirectStep(props: { view: StepView; step: ChecklistStep }): JSX.Element {
  const { provider, redirectUri } = props.view;
  if (props.step.state === 'proven') return <p>Confirmed by a sign-in.</p>;
  return (
    <>
      <p>
        {hasPortal(provider)
          ? 'Authentication, Add a platform, Web. The first completed sign-in confirms it.'
          : 'Enter it in the app registration. The first completed sign-in confirms it.'}
      </p>
      <CopyText label="Redirect URI" value={redirectUri} />
      {hasPortal(provider) ? <PortalPage name="authentication" provider={provider} /> : null}
    </>
  );
}

function PermissionsStep(props: { view: StepView; step: ChecklistStep }): JSX.Element {
  const { provider, approvalLink } = props.view;
  const { state, seen } = props.step;
  if (!hasTenant(provider))
    return <p>{state === 'proven' ? 'Confirmed by a token.' : 'The first token will confirm them.'}</p>;
  const names = permissionsFor(waysOf(provider)).filter(
    ({ protocol }) => protocol !== undefined && seen.includes(protocol),
  );
  const shown =
    names.length === 0
      ? 'The first token will show what was granted.'
      : `Granted (confirmed by a token): ${names.map(({ name }) => name).join(', ')}.`;
  const words = (
    <>
      {provider.approvedAt === undefined ? null : (
        <p>
          Admin consent was reported <Time at={provider.approvedAt} />
          {names.length === 0 ? '; the next token will confirm it.' : '.'}
        </p>
      )}
      <p>{shown}</p>
    </>
  );
  if (state === 'proven' || state === 'reported') return words;
  return (
    <>
      {words}
      {hasPortal(provider) ? <MissingPermissions provider={provider} granted={names} /> : null}
      {approvalLink === undefined ? null : (
        <>
          <p>A tenant admin opens this link once to consent on behalf of the organization:</p>
          <CopyText label="Admin consent link" value={approvalLink} />
        </>
      )}
    </>
  );
}

function MissingPermissions(props: { provider: Provider; granted: readonly Permission[] }): JSX.Element {
  const { provider, granted } = props;
  return (
    <>
      <p>Microsoft Graph, Delegated permissions:</p>
      <ul>
        {permissionsFor(waysOf(provider))
          .filter(({ name }) => !granted.some((one) => one.name === name))
          .map(({ name, reason }) => (
            <li>
              <code>{name}</code>: {reason}
            </li>
          ))}
      </ul>
      <PortalPage name="permissions" provider={provider} />
    </>
  );
}

function CredentialStep(props: {
  view: StepView;
  credential: Credential | undefined;
  open: boolean;
}): JSX.Element {
  const { view, credential, open } = props;
  const { provider } = view;
  if (credential === undefined)
    return (
      <>
        <p>Not entered yet: a client secret, a certificate, or the managed identity.</p>
        {hasPortal(provider) ? <PortalPage name="secrets" provider={provider} /> : null}
      </>
    );
  return (
    <>
      <p>
        <ExpiryState credential={credential} now={view.now} /> Set on{' '}
        <time datetime={credential.setAt.slice(0, 10)}>{credential.setAt.slice(0, 10)}</time>
      </p>
      {credential.kind === 'certificate' ? (
        <CertificateFacts provider={provider} certificate={credential.certificate} open={open} />
      ) : null}
      {credential.kind === 'federated' ? <IdentityFacts view={view} /> : null}
      {hasPortal(provider) ? <PortalPage name="secrets" provider={provider} /> : null}
    </>
  );
}

function CertificateFacts(props: { provider: Provider; certificate: string; open: boolean }): JSX.Element {
  const thumbprint = thumbprintOf(props.certificate);
  return (
    <>
      {props.open ? (
        <p>
          Upload the public certificate (.cer) at the provider: Certificates &amp; secrets, Certificates,
          Upload certificate. Then choose “Check now” above.
        </p>
      ) : null}
      <p>
        <a href={paths.certificate({ id: props.provider.id, thumbprint })} download="">
          Download the public certificate
        </a>
      </p>
      <CopyText label="Thumbprint" value={thumbprint} />
    </>
  );
}

function IdentityFacts(props: { view: StepView }): JSX.Element {
  const { identity, provider } = props.view;
  if (identity?.kind !== 'known') return <p>{identity?.sentence ?? ''}</p>;
  return (
    <>
      <p>
        In the app registration: Certificates &amp; secrets, Federated credentials, Add credential, “Other
        issuer”. It must be in the tenant of this Azure subscription.
      </p>
      <CopyText label="Issuer" value={identity.issuer} />
      <CopyText label="Subject identifier" value={identity.subject} />
      <CopyText label="Audience" value={exchangeAudienceOf(provider)} />
    </>
  );
}

function NextCredentialStep(props: { view: StepView }): JSX.Element {
  const { view } = props;
  const { provider } = view;
  return (
    <>
      <p>
        Postroom tries the new credential first. The previous one stays in use until the new one has worked,
        and is then disabled.
      </p>
      <CredentialStep view={view} credential={provider.nextCredential} open />
      <form method="post" action={paths.discardNextCredential(provider)}>
        <SubmitButton kind="secondary">Discard the new credential</SubmitButton>
      </form>
    </>
  );
}

function SignInStep(props: { provider: Provider; step: ChecklistStep }): JSX.Element {
  const { provider, step } = props;
  if (step.seen.length > 0) return <p>{step.seen.join(', ')}</p>;
  if (provider.state === 'draft') return <p>Possible once the steps above are done.</p>;
  return (
    <p>
      <a href={paths.connect(provider)}>Connect a mailbox</a>: sign in here as the mailbox, or get a link for
      its owner.
      {canSignInAsApp(provider) ? (
        <>
          {' '}
          Or <a href={paths.appAccess(provider)}>use app-only access</a>, without a user sign-in.
        </>
      ) : null}
    </p>
  );
}

function MailboxStep(props: { step: ChecklistStep }): JSX.Element {
  const { step } = props;
  if (step.seen.length > 0) return <p>{step.seen.join(', ')}</p>;
  if (step.state === 'unseen')
    return <p>After the sign-in, Postroom opens the mailbox and counts its messages.</p>;
  return (
    <p>
      <a href={paths.newMailbox()}>Add the mailbox</a>
    </p>
  );
}
