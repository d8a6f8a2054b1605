import type { Child } from 'hono/jsx';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { appAccessScript, OBJECT_ID_MISSING } from '../../../shared/accounts/app-access-script.ts';
import { type VaultTrouble, vaultInWords } from '../../../shared/accounts/vault-trouble.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import type { LinkName } from '../../../shared/explanations/links.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { CopyLines } from '../../../shared/ui/copy.tsx';
import { ButtonLink, ErrorSummary, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { OutsideLink } from '../../../shared/ui/outside-link.tsx';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { portalLink } from '../providers/provider-links.ts';

/** How far the app has come; each state names what is next. */
export type AppAccessState =
  /** Nothing was tried yet. */
  | { kind: 'open' }
  | { kind: 'no-address'; sentence: string }
  | { kind: 'no-credential'; reason: 'draft' | 'missing' | 'disabled' }
  | VaultTrouble
  | { kind: 'no-token'; explanation: Explanation; said: string }
  /** A token came without the permission for IMAP. */
  | { kind: 'no-role'; objectId: string | undefined; roles: readonly string[] }
  /** A token with the permission came, and the mailbox did not open with it. */
  | { kind: 'not-open'; objectId: string | undefined; roles: readonly string[]; code: string };

interface View {
  principal: Principal;
  provider: Provider;
  typed: { address: string; mailbox: string };
  state: AppAccessState;
  /** The provider that `npm start` brings along: nothing is to be done at Microsoft. */
  demo: boolean;
}

/** The app’s own way into a mailbox: the script for the Exchange admin, and whether it opens now. */
export function appAccessPage(view: View): string {
  const { principal, provider, typed, state } = view;
  const errors = state.kind === 'no-address' ? { address: state.sentence } : {};
  return renderPage(
    <Page
      title="Connect without a person"
      principal={principal}
      place="providers"
      hasErrors={state.kind === 'no-address'}
    >
      <ErrorSummary errors={errors} />
      <Found {...view} address={typed.address} />
      <p>
        The app {provider.name} can open mailboxes by itself: nobody signs in, no password and no second
        factor stops it, and an admin allows single mailboxes.{' '}
        {view.demo
          ? 'In the demo the permission is granted already, and all mailboxes but one are open to the app.'
          : 'It takes somebody who may grant permissions in Entra, and an Exchange admin who runs a short script once.'}
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
        <SubmitButton>{state.kind === 'open' ? 'Open the mailbox' : 'Try again'}</SubmitButton>
      </form>
      {view.demo ? null : <Steps {...view} />}
      <p>
        <a href={paths.connect(provider)}>Let the mailbox’s owner sign in instead</a>
      </p>
    </Page>,
  );
}

/** What the last try has shown. */
function Found(props: Pick<View, 'state' | 'provider' | 'demo'> & { address: string }): JSX.Element | null {
  const { state, provider, address, demo } = props;
  switch (state.kind) {
    case 'open':
    case 'no-address':
      return null;
    case 'no-credential':
      return (
        <Trouble title="The app has nothing to prove itself with">
          {state.reason === 'disabled'
            ? 'Its credential is switched off in Key Vault.'
            : 'Its credential is not in Key Vault.'}{' '}
          <a href={paths.editProvider(provider)}>Replace the credential of {provider.name}</a>
        </Trouble>
      );
    case 'vault-away': {
      const { happened, next } = vaultInWords(state);
      return (
        <Trouble title="Postroom does not get at its keys">
          {happened}. Nothing was kept. {next} Then try again.
        </Trouble>
      );
    }
    case 'no-token':
      return state.explanation.code === 'not-recognised' ? (
        <Trouble title="The provider gave no token">{state.said}</Trouble>
      ) : (
        <ExplanationView explanation={state.explanation} />
      );
    case 'no-role':
      return (
        <Trouble title="The app may not open mailboxes yet">
          The provider gave a token, but the permission IMAP.AccessAsApp is not in it.{' '}
          {demo ? null : 'Steps 1 and 2 below are open. A new permission takes some minutes to arrive.'}
        </Trouble>
      );
    case 'not-open':
      return (
        <Trouble
          title={`${demo ? 'The mail server of the demo' : 'Exchange'} does not let the app into ${address} yet`}
        >
          The provider gave a token{state.roles.length === 0 ? '' : ` with ${state.roles.join(', ')}`}.{' '}
          {demo
            ? 'Check that the address is right, or let the mailbox’s owner sign in instead.'
            : 'Run the script of step 3; what it changes can take up to an hour. Also check that the address is right and that IMAP is switched on for it.'}{' '}
          Code: {state.code}
        </Trouble>
      );
  }
}

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
  const script = appAccessScript({
    cloud: provider.cloud,
    tenant: provider.tenant,
    clientId: provider.clientId,
    objectId,
    address: typed.address === '' ? 'ADDRESS-OF-THE-MAILBOX' : typed.address,
  });
  return (
    <>
      <h2>What has to be done once</h2>
      <ol>
        <li>
          Add the application permissions <strong>IMAP.AccessAsApp</strong> and{' '}
          <strong>SMTP.SendAsApp</strong>: “Add a permission”, “APIs my organization uses”, “Office 365
          Exchange Online”, “Application permissions”. <PortalLink name="permissions" provider={provider} />
        </li>
        <li>On the same page, choose “Grant admin consent”. It takes an admin of the directory.</li>
        <li>
          Let an Exchange admin run this script.{' '}
          {objectId === undefined ? (
            <ObjectIdHelp provider={provider} />
          ) : (
            <ObjectIdKnown objectId={objectId} />
          )}
        </li>
      </ol>
      <CopyLines label="PowerShell" value={script} />
    </>
  );
}

/** The commonest mistake of all: both pages show an "Object ID", and only one of them is meant. */
function ObjectIdHelp(props: { provider: Provider }): JSX.Element {
  return (
    <>
      Put the object ID of the <strong>enterprise application</strong> in place of {OBJECT_ID_MISSING}: in
      Entra, “Enterprise applications”, the app of this name, “Object ID”. The app registration shows an
      object ID too; with that one Exchange refuses every sign-in. Postroom fills it in as soon as the
      provider gives it a token: choose “Open the mailbox” above.{' '}
      <PortalLink name="enterprise-apps" provider={props.provider} />
    </>
  );
}

const ObjectIdKnown = (props: { objectId: string }): JSX.Element => (
  <>
    It holds the object ID of the enterprise application, <code>{props.objectId}</code>, as the provider’s own
    token says. The object ID on the page of the app registration is another one.
  </>
);

function PortalLink(props: { name: LinkName; provider: Provider }): JSX.Element {
  const { label, href } = portalLink(props.name, props.provider);
  return <OutsideLink href={href}>{label}</OutsideLink>;
}

/** Not at this provider. */
export function noAppAccessPage(principal: Principal, provider: Provider): string {
  const draft = provider.state === 'draft';
  return renderPage(
    <Page title="Connect without a person" principal={principal} place="providers">
      <p>
        {draft
          ? `${provider.name} is a draft. Finish its settings first.`
          : `${provider.name} cannot do this: an app signs in by itself at Microsoft 365 only, in one directory. Let the mailbox’s owner sign in.`}
      </p>
      <p>
        <ButtonLink href={draft ? paths.editProvider(provider) : paths.connect(provider)}>
          {draft ? 'Finish the settings' : 'Sign in for a mailbox'}
        </ButtonLink>
      </p>
    </Page>,
  );
}
