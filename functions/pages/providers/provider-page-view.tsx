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
  /** The link for a tenant admin; undefined when consent is not needed or cannot be requested. */
  approvalLink: string | undefined;
  /** What to enter for the managed identity, when it is a credential. */
  identity: TrustedIdentity | undefined;
  /** Undefined until it has been turned on once. */
  rotation: Rotation | undefined;
  /** The steps at Microsoft as commands; absent for other providers. */
  script: string | undefined;
  now: number;
  flash: Flash | undefined;
}

/** One provider: the setup checklist, the result of the last check, its accounts. */
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
          <summary>Script for the steps at Microsoft</summary>
          <p>
            For the Azure CLI, with this installation’s values filled in. It creates the app registration or
            repairs the existing one. You can run it again at any time.
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
  if (provider.state === 'draft') return `${kind}. Draft: no one can sign in through it yet.`;
  return done === all ? `${kind}. Setup is complete.` : `${kind}. ${done} of ${all} steps done.`;
}

/** The next step comes first. A problem that the check found would also stop every sign-in. */
function Actions(props: { provider: Provider }): JSX.Element {
  const { provider } = props;
  const { preflight } = provider;
  if (provider.state === 'draft')
    return (
      <div class="actions">
        <ButtonLink href={paths.editProvider(provider)}>Continue setup</ButtonLink>
      </div>
    );
  const blocked = preflight !== undefined && !isReadyToSignIn(preflight);
  // A certificate or an identity that is not accepted yet is corrected at the provider, not here.
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

/** Explains what the last check found wrong. */
function Trouble(props: { view: ProviderView }): JSX.Element | null {
  const { config, provider, redirectUri, steps } = props.view;
  const { preflight } = provider;
  if (preflight === undefined) return null;
  const isPending = (name: StepName): boolean =>
    steps.some((step) => step.name === name && step.state === 'waiting');
  // A value that is not entered at the provider yet is a pending step, not an error.
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
          <p>The new credential does not work yet; the previous one is still in use.</p>
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
  'tenant-admin': 'a tenant admin',
  'mailbox-owner': 'the mailbox owner',
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
    <DataTable caption="Signed-in accounts" head={['Account', 'State', 'Signed in']}>
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
  if (state === 'ok') return <StatusLabel kind="good">OK</StatusLabel>;
  return (
    <>
      <StatusLabel kind={state === 'retrying' ? 'warn' : 'bad'}>
        {state === 'retrying' ? 'Retrying' : 'Action required'}
      </StatusLabel>
      {problem === undefined ? null : <p>{problem.message}</p>}
    </>
  );
}
