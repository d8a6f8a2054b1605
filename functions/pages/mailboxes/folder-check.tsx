/** Compares the folder of a mailbox with the ledger. For admins. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  allIn,
  createReconciliationStore,
  type FolderCheck,
  type FolderCount,
  type RecoveredMail,
} from '../../../shared/intake/reconciliation-records.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Facts, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { flashOf } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { askForCheck } from '../../use-cases/check-folder.ts';

const flashes: Readonly<Record<string, Flash>> = {
  checking: {
    kind: 'success',
    text: 'The check has started. Reload this page for the result; a large folder takes a minute.',
  },
  fetching: {
    kind: 'success',
    text: 'Postroom is fetching the missing email. Reload this page for the result.',
  },
};

export async function showFolderCheck(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const store = createReconciliationStore(c.get('services').tables);
  const [check, recovered] = await Promise.all([store.check(mailbox.id), store.recovered(mailbox.id)]);
  return c.html(
    renderPage(
      <Page
        title={`Folder check: ${mailbox.address}`}
        principal={c.get('principal')}
        place="mailboxes"
        flash={flashOf(c, flashes)}
        wide
      >
        <p>
          Once a day, and after an outage, Postroom compares the folder {mailbox.folder} with its own records.
          It reads only the number, size and time of each message.
        </p>
        <Result mailbox={mailbox} check={check} />
        {recovered === undefined ? null : <Recovered recovered={recovered} />}
        <div class="actions">
          <form method="post" action={paths.mailboxCheck(mailbox)}>
            <SubmitButton kind={(check?.count?.missing ?? 0) > 0 ? 'secondary' : undefined}>
              Check now
            </SubmitButton>
          </form>
          <a href={paths.findEmail({ mailbox: mailbox.id })}>Where is my email?</a>
          <a href={paths.mailboxes()}>All mailboxes</a>
        </div>
      </Page>,
    ),
  );
}

function Result(props: { mailbox: Mailbox; check: FolderCheck | undefined }): JSX.Element {
  const { mailbox, check } = props;
  if (check === undefined)
    return (
      <EmptyState title="Not checked yet">
        The first check runs a few minutes after the first fetch. To check now, use the button below.
      </EmptyState>
    );
  const { startedAt, checkedAt = '', count, problem } = check;
  return (
    <>
      {problem !== undefined ? (
        <div class="flash warning" role="alert">
          <p>The last check failed: {problem}</p>
        </div>
      ) : startedAt > checkedAt ? (
        <p>
          <StatusLabel kind="quiet">Checking</StatusLabel> since <Time at={startedAt} />.{' '}
          <a href={paths.mailboxCheck(mailbox)}>Show the result</a>
        </p>
      ) : null}
      {count === undefined ? null : <Count count={count} check={check} />}
      {check.missing.length === 0 ? null : <Missing mailbox={mailbox} check={check} />}
    </>
  );
}

function Count(props: { count: FolderCount; check: FolderCheck }): JSX.Element {
  const { count, check } = props;
  const { inLedger, waiting, older, missing } = count;
  const all = allIn(count);
  return (
    <>
      <h2>
        {numbered(all)} in the folder, {numbered(all - missing)} accounted for
      </h2>
      <Facts
        items={[
          { term: 'In Postroom', detail: `${numbered(inLedger)}: in a ticket, skipped or unimported` },
          { term: 'Waiting', detail: `${numbered(waiting)}: will be fetched next` },
          {
            term: 'Older',
            detail: `${numbered(older)}: already read when the mailbox was connected, so not imported`,
          },
          {
            term: 'Missing',
            detail:
              missing === 0 ? (
                <StatusLabel kind="good">None</StatusLabel>
              ) : (
                <StatusLabel kind="bad">{numbered(missing)}</StatusLabel>
              ),
          },
          {
            term: 'Checked',
            detail: check.checkedAt === undefined ? 'Not yet' : <Time at={check.checkedAt} />,
          },
        ]}
      />
    </>
  );
}

function Missing(props: { mailbox: Mailbox; check: FolderCheck }): JSX.Element {
  const { mailbox, check } = props;
  const missing = check.count?.missing ?? check.missing.length;
  return (
    <>
      <DataTable
        caption={
          missing > check.missing.length
            ? `The first ${check.missing.length} of ${numbered(missing)} missing emails`
            : 'Missing emails'
        }
        head={['Received', 'Message-ID', 'Size']}
      >
        {check.missing.map(({ receivedAt, messageId, size }) => (
          <tr>
            <td data-label="Received">
              <Time at={receivedAt} />
            </td>
            <td data-label="Message-ID" class="code">
              {messageId === '' ? 'none' : messageId}
            </td>
            <td data-label="Size">{readableSize(size)}</td>
          </tr>
        ))}
      </DataTable>
      <form method="post" action={paths.fetchMissing(mailbox)}>
        <SubmitButton>
          {missing === 1 ? 'Fetch the missing email' : `Fetch the ${numbered(missing)} missing emails`}
        </SubmitButton>
      </form>
    </>
  );
}

function Recovered(props: { recovered: RecoveredMail }): JSX.Element {
  const { since, until, emails, more } = props.recovered;
  return (
    <p>
      Last outage: fetching failed from <Time at={since} /> to <Time at={until} />.{' '}
      {emails === 0
        ? 'No email arrived during that time.'
        : `${more ? 'At least ' : ''}${emails === 1 ? '1 email' : `${numbered(emails)} emails`} recovered by the first fetch afterwards.`}
    </p>
  );
}

const numbered = (count: number): string => count.toLocaleString('en');

export const checkFolder = (c: PageContext): Promise<Response> => ask(c, 'check');
export const fetchMissingEmail = (c: PageContext): Promise<Response> => ask(c, 'fetch-missing');

async function ask(c: PageContext, kind: 'check' | 'fetch-missing'): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  await askForCheck(c.get('services'), mailbox, kind, c.get('principal'));
  return c.redirect(paths.mailboxCheck(mailbox, { flash: kind === 'check' ? 'checking' : 'fetching' }), 303);
}

async function mailboxOf(c: PageContext): Promise<Mailbox | undefined> {
  const id = c.req.param('id') ?? '';
  return /^[\w-]{1,60}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}
