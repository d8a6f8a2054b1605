import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../../shared/accounts/account.ts';
import type { TrustedIdentity } from '../../../shared/accounts/trusted-identity.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Config } from '../../../shared/platform/config.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { type ChecklistStep, progressOf, type StepName } from '../../../shared/providers/checklist.ts';
import { isReadyToSignIn } from '../../../shared/providers/preflight.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import type { Rotation } from '../../../shared/secrets/rotation-records.ts';
import { CopyLines } from '../../../shared/ui/copy.tsx';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { explainFor } from '../errors/explain-context.ts';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { StepBody, stepTitle } from './provider-step-view.tsx';
import { RotationView } from './rotation-view.tsx';

export interface ProviderView {
  principal: Principal;
  config: Pick<Config, 'demo'>;
  provider: Provider;
  /** What the preset is called. */
  kind: string;
  steps: readonly ChecklistStep[];
  accounts: readonly Account[];
  redirectUri: string;
  /** For an admin of the tenant; undefined while there is none to ask, or nothing to ask for. */
  approvalLink: string | undefined;
  /** What the managed identity says of itself, where it is a credential. */
  identity: TrustedIdentity | undefined;
  /** Undefined where nobody has switched it on yet. */
  rotation: Rotation | undefined;
  /** The steps at Microsoft as commands; absent for other providers. */
  script: string | undefined;
  now: number;
  flash: Flash | undefined;
}

/** One provider: the whole way as a checklist, what the last check was told, its accounts. */
export function providerPage(view: ProviderView): string {
  const { provider, steps, accounts } = view;
  const { done, all } = progressOf(steps);
  return renderPage(
    <Page title={provider.name} principal={view.principal} place="providers" flash={view.flash} wide>
      <p class="lead">{summaryOf(view, done, all)}</p>
      <Actions provider={provider} />
      <Trouble view={view} />
      <section class="checklist" aria-label="Setup checklist">
        <h2>Setup checklist</h2>
        <ol>
          {steps.map((step) => (
            <Step view={view} step={step} />
          ))}
        </ol>
      </section>
      <RotationView provider={provider} rotation={view.rotation} />
      <Accounts accounts={accounts} />
      {view.script === undefined ? null : (
        <details>
          <summary>The steps at Microsoft as one script</summary>
          <p>
            For the Azure CLI, with the values of this installation filled in. It makes the app registration,
            or mends the one there is; run it again at any time.
          </p>
          <CopyLines label="Script for bash" value={view.script} />
          <p>
            <a href={paths.registrationScript(provider)} download="">
              Download the script
            </a>
          </p>
        </details>
      )}
      <p>
        <a href={paths.deleteProvider(provider)}>Delete this provider</a>
      </p>
    </Page>,
  );
}

function summaryOf({ provider, kind }: ProviderView, done: number, all: number): string {
  if (provider.state === 'draft') return `${kind}. A draft: nobody can sign in through it yet.`;
  return done === all ? `${kind}. Everything is set up.` : `${kind}. ${done} of ${all} steps are done.`;
}

/** The way on first: what a check has found wrong would stop every sign-in as well. */
function Actions(props: { provider: Provider }): JSX.Element {
  const { provider } = props;
  const { preflight } = provider;
  if (provider.state === 'draft')
    return (
      <div class="actions">
        <ButtonLink href={paths.editProvider(provider)}>Go on with this draft</ButtonLink>
      </div>
    );
  const blocked = preflight !== undefined && !isReadyToSignIn(preflight);
  // A certificate or an identity that is not accepted yet is put right at the provider, not here.
  const entered = provider.credential?.kind === 'secret' ? [preflight?.credential] : [];
  const wrong = blocked && [preflight.tenant, preflight.client, ...entered].includes('wrong');
  const connect = (
    <ButtonLink href={paths.connect(provider)} kind={blocked ? 'secondary' : 'primary'}>
      Connect a mailbox
    </ButtonLink>
  );
  return (
    <div class="actions">
      {blocked ? null : connect}
      <form method="post" action={paths.checkProvider(provider)}>
        <SubmitButton kind={blocked && !wrong ? 'primary' : 'secondary'}>Check now</SubmitButton>
      </form>
      <ButtonLink href={paths.editProvider(provider)} kind={wrong ? 'primary' : 'secondary'}>
        Edit or replace the credential
      </ButtonLink>
      {blocked ? connect : null}
    </div>
  );
}

/** What the last check was told, in words, when something is not as it should be. */
function Trouble(props: { view: ProviderView }): JSX.Element | null {
  const { config, provider, redirectUri, steps } = props.view;
  const { preflight } = provider;
  if (preflight === undefined) return null;
  const isPending = (name: StepName): boolean =>
    steps.some((step) => step.name === name && step.state === 'waiting');
  // What is still to be entered at the provider is a step of the list, and no error.
  const evidence = isPending('credential') ? undefined : preflight.evidence;
  const nextEvidence = isPending('next-credential') ? undefined : preflight.nextEvidence;
  const present = isReadyToSignIn(preflight) ? undefined : evidence;
  return (
    <>
      {present === undefined ? null : (
        <div class="panel">
          <ExplanationView explanation={explainFor(config, provider, present, redirectUri)} />
        </div>
      )}
      {nextEvidence === undefined || nextEvidence === present ? null : (
        <div class="panel">
          <p>The new credential does not work yet; the one before is still in use.</p>
          <ExplanationView explanation={explainFor(config, provider, nextEvidence, redirectUri)} />
        </div>
      )}
      <p class="muted small">
        Checked <Time at={preflight.at} />
      </p>
    </>
  );
}

const labels = {
  proven: { kind: 'good', text: 'Verified' },
  wrong: { kind: 'bad', text: 'Failed' },
  reported: { kind: 'quiet', text: 'Reported, not verified yet' },
  unseen: { kind: 'quiet', text: 'Not verified yet' },
  waiting: { kind: 'warn', text: 'Pending' },
} as const;

const doers = {
  you: 'you',
  'tenant-admin': 'an admin of the tenant',
  'mailbox-owner': 'the owner of the mailbox',
} as const;

function Step(props: { view: ProviderView; step: ChecklistStep }): JSX.Element {
  const { view, step } = props;
  const { kind, text } = labels[step.state];
  const words = step.state === 'waiting' ? `${text}: ${doers[step.who]}` : text;
  return (
    <li class={`step-${step.state}`}>
      <div class="step-head">
        <h3>{stepTitle(view, step)}</h3>
        <StatusLabel kind={kind}>{words}</StatusLabel>
      </div>
      <StepBody view={view} step={step} />
    </li>
  );
}

function Accounts(props: { accounts: readonly Account[] }): JSX.Element | null {
  const { accounts } = props;
  if (accounts.length === 0) return null;
  return (
    <DataTable caption="Accounts that signed in" head={['Account', 'State', 'Signed in']}>
      {accounts.map((account) => (
        <tr>
          <td data-label="Account">
            <a href={paths.account(account)}>{account.user}</a>
          </td>
          <td data-label="State">
            <AccountState account={account} />
          </td>
          <td data-label="Signed in">
            <Time at={account.consentedAt} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function AccountState(props: { account: Account }): JSX.Element {
  const { state, problem } = props.account;
  if (state === 'works') return <StatusLabel kind="good">Works</StatusLabel>;
  return (
    <>
      <StatusLabel kind={state === 'retrying' ? 'warn' : 'bad'}>
        {state === 'retrying' ? 'Trying again' : 'Needs you'}
      </StatusLabel>
      {problem === undefined ? null : <p>{problem.message}</p>}
    </>
  );
}
