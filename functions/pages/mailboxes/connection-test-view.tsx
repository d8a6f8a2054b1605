import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type ConnectionTest,
  explainStep,
  failedStep,
  isWaiting,
  type Step,
  type StepName,
} from '../../../shared/connection-test/connection-test.ts';
import { inDemoWords } from '../../../shared/explanations/demo-words.ts';
import type { ExplainContext, Explanation } from '../../../shared/explanations/explanation.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { type MailWay, nameOfWay } from '../../../shared/mailboxes/mailbox-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { CopyLines } from '../../../shared/ui/copy.tsx';
import { ButtonLink, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { ExplanationView } from '../errors/explanation-view.tsx';
import { GraphOffer, SendingGraphOffer } from './graph-offer.tsx';

/** What is known about the provider that a protocol signs in through. */
export type ContextOf = (protocol: MailWay) => ExplainContext;

const stepWords: Readonly<Record<StepName, string>> = {
  dns: 'Find the server',
  tcp: 'Connect',
  tls: 'Encrypt',
  token: 'Get a token',
  'sign-in': 'Sign in',
  folder: 'Open the folder',
  count: 'Count messages',
  send: 'Send a test email',
  arrival: 'Receive the test email',
};

const stepsOf: Readonly<Record<MailWay, readonly StepName[]>> = {
  imap: ['dns', 'tcp', 'tls', 'token', 'sign-in', 'folder', 'count'],
  pop3: ['dns', 'tcp', 'tls', 'token', 'sign-in', 'count'],
  graph: ['dns', 'tcp', 'tls', 'token', 'sign-in', 'folder', 'count'],
  smtp: ['dns', 'tcp', 'tls', 'token', 'sign-in', 'send', 'arrival'],
  'graph-send': ['dns', 'tcp', 'tls', 'token', 'send', 'arrival'],
  relay: ['sign-in', 'send', 'arrival'],
};
const afterSaving: readonly StepName[] = ['send', 'arrival'];

/** The last test of a mailbox, if any. While the test email is awaited, the page reloads itself. */
export function connectionTestPage(view: {
  principal: Principal;
  mailbox: Mailbox;
  tests: readonly ConnectionTest[];
  contextOf: ContextOf;
  /** Why reading over Microsoft Graph may help, if it may. */
  offer: string | undefined;
  /** The same for sending. */
  sendingOffer: string | undefined;
  /** What an Exchange admin runs so that an app may send over Microsoft Graph. */
  script: string | undefined;
  /** Why Microsoft Graph has not opened the mailbox, after it was asked to. */
  unopened: Explanation | undefined;
  flash: Flash | undefined;
}): string {
  const { mailbox, tests, flash, unopened } = view;
  const waits = tests.some(isWaiting);
  const [first] = tests;
  return renderPage(
    <Page
      title={`Connection test: ${mailbox.address}`}
      principal={view.principal}
      place="mailboxes"
      flash={flash}
      wide
    >
      {unopened === undefined ? null : <ExplanationView explanation={unopened} />}
      {view.script === undefined ? null : (
        <CopyLines label="PowerShell for an Exchange admin" value={view.script} />
      )}
      {first === undefined ? (
        <EmptyState title="Not tested yet">
          <GraphOffer mailbox={mailbox} offer={view.offer} />
          <SendingGraphOffer mailbox={mailbox} offer={view.sendingOffer} />
          <p>{whatHappens(mailbox)}</p>
          <TestButton mailbox={mailbox}>Test now</TestButton>
        </EmptyState>
      ) : (
        <>
          {/* The script reloads the page; without script, the link does. */}
          <p role="status" data-reload={waits ? '5' : undefined}>
            <strong>{summary(tests)}</strong> Tested <Time at={first.startedAt} />.{' '}
            {waits ? <a href={paths.connectionTest(mailbox)}>Check again</a> : null}
          </p>
          <GraphOffer mailbox={mailbox} offer={view.offer} />
          <SendingGraphOffer mailbox={mailbox} offer={view.sendingOffer} />
          <TestResults tests={tests} contextOf={view.contextOf} toOneself />
          <NotSetUp mailbox={mailbox} />
          <p>
            {whatHappens(mailbox)} <a href={paths.testTranscript(mailbox)}>Download the transcript</a>. It
            contains no tokens and no message text.
          </p>
          <div class="actions">
            <TestButton mailbox={mailbox}>Test again</TestButton>
            <ButtonLink href={paths.editMailbox(mailbox)} kind="secondary">
              Edit settings
            </ButtonLink>
          </div>
        </>
      )}
    </Page>,
  );
}

function TestButton(props: { mailbox: Mailbox; children: string }): JSX.Element {
  return (
    <form method="post" action={paths.connectionTest(props.mailbox)}>
      <SubmitButton>{props.children}</SubmitButton>
    </form>
  );
}

const whatHappens = ({ sending }: Mailbox): string =>
  sending === undefined
    ? 'The test reads the mailbox without changing it.'
    : 'The test reads the mailbox without changing it, and sends one test email to it. The test email opens no ticket; it is listed under Unimported email as skipped.';

function NotSetUp(props: { mailbox: Mailbox }): JSX.Element | null {
  const { id, sending } = props.mailbox;
  if (sending !== undefined) return null;
  return (
    <p>
      Not set up, so not tested: sending.{' '}
      <a href={paths.editMailbox({ id })}>Set up in the mailbox’s settings</a>
    </p>
  );
}

/** Above a form that is not saved yet. */
export function UnsavedTest(props: { tests: readonly ConnectionTest[]; contextOf: ContextOf }): JSX.Element {
  return (
    <>
      <h2>{summary(props.tests)}</h2>
      <p>Nothing is saved yet. After saving, the test can also send a test email.</p>
      <TestResults {...props} toOneself={false} />
    </>
  );
}

/** All protocols in one sentence, failures first. Pure. */
export function summary(tests: readonly ConnectionTest[]): string {
  const troubles = tests.flatMap((test) => {
    const step = failedStep(test);
    return step === undefined ? [] : [`${nameOf(test)} failed at “${stepWords[step.name].toLowerCase()}”.`];
  });
  if (troubles.length > 0) return troubles.join(' ');
  const names = tests.map(nameOf);
  const all = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  if (tests.some(isWaiting)) return `${all} work so far. Waiting for the test email to arrive.`;
  return names.length === 1 ? `${all} works.` : `${all} work.`;
}

const nameOf = ({ protocol }: ConnectionTest): string => nameOfWay(protocol);
const withServer = (test: ConnectionTest): string =>
  test.server === undefined ? nameOf(test) : `${nameOf(test)} at ${test.server}`;

/** The steps of every tested protocol, each with time and result; the failing one with its explanation. */
export function TestResults(props: {
  tests: readonly ConnectionTest[];
  contextOf: ContextOf;
  /** False before the settings are saved: then no email is sent. */
  toOneself: boolean;
}): JSX.Element {
  return (
    <>
      {props.tests.map((test) => (
        <OneTest test={test} context={props.contextOf(test.protocol)} toOneself={props.toOneself} />
      ))}
    </>
  );
}

function OneTest(props: { test: ConnectionTest; context: ExplainContext; toOneself: boolean }): JSX.Element {
  const { test, context } = props;
  const failed = failedStep(test);
  const names = stepsOf[test.protocol].filter((step) => props.toOneself || !afterSaving.includes(step));
  return (
    <Panel>
      <DataTable caption={withServer(test)} head={['Step', 'Result', 'Time', 'Details']}>
        {names.map((step) => (
          <StepRow
            name={step}
            step={test.steps.find((taken) => taken.name === step)}
            demo={context.demo === true}
          />
        ))}
      </DataTable>
      {failed === undefined ? null : (
        <>
          {failed.narrowed === undefined ? null : (
            <p>
              <strong>Diagnosis:</strong> {failed.narrowed}
            </p>
          )}
          <ExplanationView explanation={explainStep(failed, context)} />
        </>
      )}
    </Panel>
  );
}

function StepRow(props: { name: StepName; step: Step | undefined; demo: boolean }): JSX.Element {
  const { name, step, demo } = props;
  const found = step?.found || step?.evidence || '';
  return (
    <tr>
      <td data-label="Step">{unbroken(stepWords[name])}</td>
      <td data-label="Result">
        <StepState step={step} />
      </td>
      <td data-label="Time">{step === undefined || step.state === 'waiting' ? '' : timeInWords(step.ms)}</td>
      <td data-label="Details">{demo ? inDemoWords(found) : found}</td>
    </tr>
  );
}

function StepState(props: { step: Step | undefined }): JSX.Element {
  switch (props.step?.state) {
    case undefined:
      return <StatusLabel kind="quiet">Not run</StatusLabel>;
    case 'passed':
      return <StatusLabel kind="good">OK</StatusLabel>;
    case 'waiting':
      return <StatusLabel kind="warn">Waiting</StatusLabel>;
    case 'failed':
      return <StatusLabel kind="bad">Failed</StatusLabel>;
  }
}

const timeInWords = (ms: number): string => unbroken(ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

/** Short words stay on one line beside a long text. */
const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

/** The conversation as a text file. Pure. */
export function transcriptText(mailbox: Mailbox, tests: readonly ConnectionTest[]): string {
  const parts = tests.map((test) =>
    [
      `== ${withServer(test)}, ${test.startedAt}`,
      ...test.steps.map(({ name, state, ms, found, evidence, narrowed }) =>
        [`-- ${name}: ${state}, ${ms} ms.`, found, evidence, narrowed].filter(Boolean).join(' '),
      ),
      ...test.transcript,
    ].join('\r\n'),
  );
  return `Postroom, test of ${mailbox.address}\r\nC: Postroom, S: server. Tokens are left out.\r\n\r\n${parts.join('\r\n\r\n')}\r\n`;
}
