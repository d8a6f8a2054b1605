import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type AppAccess,
  appAccessScript,
  OBJECT_ID_MISSING,
} from '../../../shared/accounts/app-access-script.ts';
import { mailboxRoleScript } from '../../../shared/accounts/mailbox-role-script.ts';
import { type VaultFailure, vaultInWords } from '../../../shared/accounts/vault-failure.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { LinkName } from '../../../shared/explanations/links.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Code } from '../../../shared/platform/problem.ts';
import { type Provider, waysOf } from '../../../shared/providers/provider.ts';
import { CopyLines } from '../../../shared/ui/copy.tsx';
import { ButtonLink, ErrorSummary, RadioField, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { portalLink } from '../providers/provider-links.ts';

/** The state of app-only access; each state has its own next step. */
export type AppAccessState =
  /** Not checked yet. */
  | { kind: 'open' }
  | { kind: 'no-address'; sentence: string }
  | { kind: 'no-credential'; reason: 'draft' | 'missing' | 'disabled' }
  | VaultFailure
  | { kind: 'no-token'; explanation: Explanation; said: string }
  /** A token came without the permission for IMAP. */
  | { kind: 'no-role'; objectId: string | undefined; roles: readonly string[] }
  /** The token has the permission, but the mailbox did not open with it. */
  | { kind: 'not-open'; objectId: string | undefined; roles: readonly string[]; code: Code };

/** How the app reads mailboxes. */
export type AppWay = 'imap' | 'graph';

interface View {
  principal: Principal;
  provider: Provider;
  typed: { address: string; mailbox: string; way: AppWay };
  /** False where the provider has no Microsoft Graph. */
  offersGraph: boolean;
  state: AppAccessState;
  /** The demo provider of `npm start`: nothing has to be done at Microsoft. */
  demo: boolean;
}

/** App-only access: the script for the Exchange admin, and a check whether the mailbox opens. */
export function appAccessPage(view: View): string {
  const { principal, provider, typed, state } = view;
  const errors = state.kind === 'no-address' ? { address: state.sentence } : {};
  return renderPage(
    <Page
      title="App-only access"
      principal={principal}
      place="providers"
      hasErrors={state.kind === 'no-address'}
    >
      <ErrorSummary errors={errors} />
      <Found {...view} {...typed} />
      <p>
        The app {provider.name} can access mailboxes without a user sign-in, so it keeps working when
        passwords change or people leave. An admin grants access to individual mailboxes.{' '}
        {view.demo
          ? 'In the demo, the permission is already granted, and the app can access all mailboxes but one.'
          : needed[typed.way]}
      </p>
      <form method="post" action={paths.appAccess(provider)} novalidate>
        <input type="hidden" name="mailbox" value={typed.mailbox} />
        <TextField
          name="address"
          label="Address of the mailbox"
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={typed.address}
          error={errors.address}
        />
        {view.offersGraph ? (
          <RadioField
            name="way"
            legend="Read email over"
            value={typed.way}
            options={[
              { value: 'imap', label: 'IMAP' },
              { value: 'graph', label: 'Microsoft Graph', hint: 'Works where IMAP is turned off.' },
            ]}
          />
        ) : null}
        <SubmitButton>{state.kind === 'open' ? 'Open the mailbox' : 'Try again'}</SubmitButton>
      </form>
      {view.demo ? null : <Steps {...view} />}
      <p>
        <a href={paths.connect(provider)}>Let the mailbox’s owner sign in instead</a>
      </p>
    </Page>,
  );
}

const needed: Readonly<Record<AppWay, string>> = {
  imap: 'You need someone who can grant permissions in Entra, and an Exchange admin who runs a short script once.',
  graph: 'You need an Exchange admin who runs a short script once.',
};

/** The result of the last check. */
function Found(
  props: Pick<View, 'state' | 'provider' | 'demo'> & { address: string; way: AppWay },
): JSX.Element | null {
  const { state, provider, address, demo, way } = props;
  switch (state.kind) {
    case 'open':
    case 'no-address':
      return null;
    case 'no-credential':
      return (
        <Trouble title="The app has no credential">
          {state.reason === 'disabled'
            ? 'Its credential is disabled in Key Vault.'
            : 'Its credential is not in Key Vault.'}{' '}
          <a href={paths.editProvider(provider)}>Replace the credential of {provider.name}</a>
        </Trouble>
      );
    case 'vault-away': {
      const { happened, next } = vaultInWords(state);
      return (
        <Trouble title="Postroom can’t access its keys">
          {happened}. Nothing was saved. {next} Then try again.
        </Trouble>
      );
    }
    case 'no-token':
      return state.explanation.code === 'not-recognised' ? (
        <Trouble title="The provider returned no token">{state.said}</Trouble>
      ) : (
        <ExplanationView explanation={state.explanation} />
      );
    case 'no-role':
      return (
        <Trouble title="The app cannot access mailboxes yet">
          The token does not contain the permission IMAP.AccessAsApp.{' '}
          {demo ? null : 'Do steps 1 and 2 below. A new permission can take a few minutes.'}
        </Trouble>
      );
    case 'not-open':
      return (
        <Trouble
          title={`${demo ? 'The mail server of the demo' : 'Exchange'} does not give the app access to ${address} yet`}
        >
          The provider gave a token{state.roles.length === 0 ? '' : ` with ${state.roles.join(', ')}`}.{' '}
          {demo
            ? 'Check that the address is correct, or let the mailbox’s owner sign in instead.'
            : unopened[way]}{' '}
          Code: {state.code}
        </Trouble>
      );
  }
}

const unopened: Readonly<Record<AppWay, string>> = {
  imap: 'Run the script in step 3; its changes can take up to an hour. Also check that the address is correct and that IMAP is turned on for it.',
  graph:
    'It needs the application permission Mail.ReadWrite for this mailbox: run the script below; its changes can take up to two hours. Also check that the address is correct.',
};

function Trouble(props: { title: string; children: Child }): JSX.Element {
  return (
    <section class="explanation">
      <h2>{props.title}</h2>
      <p>{props.children}</p>
    </section>
  );
}

function Steps(props: View): JSX.Element {
  const { provider, typed, state } = props;
  const objectId = state.kind === 'no-role' || state.kind === 'not-open' ? state.objectId : undefined;
  const access: AppAccess = {
    cloud: provider.cloud,
    tenant: provider.tenant,
    clientId: provider.clientId,
    objectId,
    address: typed.address === '' ? 'ADDRESS-OF-THE-MAILBOX' : typed.address,
  };
  const whichId =
    objectId === undefined ? <ObjectIdHelp provider={provider} /> : <ObjectIdKnown objectId={objectId} />;
  if (typed.way === 'graph')
    return (
      <>
        <h2>One-time setup</h2>
        <p>
          Over Microsoft Graph, the app needs the application permission <strong>Mail.ReadWrite</strong>.
          Exchange can grant it for this mailbox only: ask an Exchange admin to run this script. Do not also
          grant the permission in Entra, where it applies to every mailbox.
        </p>
        <p>{whichId}</p>
        <CopyLines
          label="PowerShell"
          value={mailboxRoleScript(access, [...new Set(['graph' as const, ...waysOf(provider)])])}
        />
      </>
    );
  const script = appAccessScript(access);
  return (
    <>
      <h2>One-time setup</h2>
      <ol>
        <li>
          Add the application permissions <strong>IMAP.AccessAsApp</strong> and{' '}
          <strong>SMTP.SendAsApp</strong>: “Add a permission”, “APIs my organization uses”, “Office 365
          Exchange Online”, “Application permissions”. <PortalLink name="permissions" provider={provider} />
        </li>
        <li>On the same page, choose “Grant admin consent for …”. This needs a tenant admin.</li>
        <li>Ask an Exchange admin to run this script. {whichId}</li>
      </ol>
      <CopyLines label="PowerShell" value={script} />
    </>
  );
}

/** The most common mistake: both pages show an “Object ID”, and only the enterprise application’s works. */
function ObjectIdHelp(props: { provider: Provider }): JSX.Element {
  return (
    <>
      Put the object ID of the <strong>enterprise application</strong> in place of {OBJECT_ID_MISSING}: in
      Entra, “Enterprise applications”, the app of this name, “Object ID”. The app registration has a
      different object ID; with that one, Exchange refuses every sign-in. Postroom fills in the right ID as
      soon as it gets a token: choose “Open the mailbox” above.{' '}
      <PortalLink name="enterprise-apps" provider={props.provider} />
    </>
  );
}

const ObjectIdKnown = (props: { objectId: string }): JSX.Element => (
  <>
    It contains the object ID of the enterprise application, <code>{props.objectId}</code>, taken from the
    token. The object ID on the app registration’s page is a different one.
  </>
);

function PortalLink(props: { name: LinkName; provider: Provider }): JSX.Element {
  const { label, href } = portalLink(props.name, props.provider);
  return <OutsideLink href={href}>{label}</OutsideLink>;
}

/** Says that this provider does not support app-only access. */
export function noAppAccessPage(principal: Principal, provider: Provider): string {
  const draft = provider.state === 'draft';
  return renderPage(
    <Page title="App-only access" principal={principal} place="providers">
      <p>
        {draft
          ? `${provider.name} is a draft. Finish its settings first.`
          : `${provider.name} does not support app-only access, which needs Microsoft 365 and a single tenant. Let the mailbox’s owner sign in.`}
      </p>
      <p>
        <ButtonLink href={draft ? paths.editProvider(provider) : paths.connect(provider)}>
          {draft ? 'Finish the settings' : 'Connect a mailbox'}
        </ButtonLink>
      </p>
    </Page>,
  );
}
