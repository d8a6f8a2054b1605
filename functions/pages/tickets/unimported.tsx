/** Email that did not become part of a ticket, with reasons and actions. For agents. */

import { limits } from '../../../shared/intake/plan-batches.ts';
import type { Handled, QuarantineEntry } from '../../../shared/intake/quarantine-records.ts';
import { reasonOfCopyBegins } from '../../../shared/intake/skip-duplicates.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { mapLimited } from '../../../shared/platform/concurrency.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { SelectField, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../../shared/ui/pager.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { fileResponse } from '../../http/file-download.ts';
import { flashOf, formData } from '../../http/form-data.ts';
import { recordChange } from '../../http/record-change.ts';
import { dismiss, makeTicket, tryAgain } from '../../use-cases/handle-unimported.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';
import { type MailContext, type MailServices, mailServices } from './mail-services.ts';

const PAGE_SIZE = 50;
const ALL = '';
// Only checked for characters that a table key can't contain.
const KEY = /^[^/\\#?\p{Cc}]{1,400}$/u;

const flashes: Readonly<Record<string, Flash>> = {
  ticket: { kind: 'success', text: 'The email is now in a ticket.' },
  again: {
    kind: 'warning',
    text: 'The email still could not be imported. The reason below is from this attempt.',
  },
  asked: { kind: 'success', text: 'Postroom will download the email again within a minute.' },
  dismissed: {
    kind: 'success',
    text: 'Dismissed. The email stays in the list of all unimported email, and its original is kept.',
  },
  deleted: {
    kind: 'warning',
    text: 'The mailbox of this email was deleted, so it cannot be imported. Make a ticket or dismiss it.',
  },
};

export async function showUnimported(c: MailContext): Promise<Response> {
  const { quarantine, mailboxes } = mailServices(c);
  const known = await mailboxOptions(mailboxes);
  const chosen = known.find(({ id }) => id === c.req.query('mailbox'));
  const isWaiting = c.req.query('show') === 'waiting';
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const range = { after: position.after, limit: PAGE_SIZE };
  const page = isWaiting
    ? { entries: await waitingEntries(quarantine, chosen?.id), next: undefined }
    : chosen === undefined
      ? await quarantine.pageOfAll(
          known.map(({ id }) => id),
          range,
        )
      : await quarantine.page(chosen.id, range);
  return c.html(
    renderPage(
      <Page
        title="Unimported email"
        principal={c.get('principal')}
        place="unimported"
        flash={flashFor(c)}
        wide
      >
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Quarantine')} />
        <p>
          Emails that did not become tickets, and why. <em>Not imported</em>: could not be read or stored.{' '}
          <em>Skipped</em>: not imported on purpose, such as duplicates. Nothing is deleted.{' '}
          {isWaiting ? (
            <a href={paths.unimported({ mailbox: chosen?.id })}>Show all</a>
          ) : (
            <a href={paths.unimported({ mailbox: chosen?.id, show: 'waiting' })}>
              Show only email that needs a decision
            </a>
          )}
        </p>
        {known.length > 1 ? <MailboxChoice mailboxOptions={known} chosen={chosen?.id ?? ALL} /> : null}
        {page.entries.length === 0 ? (
          <EmptyState title={isWaiting ? 'No email needs a decision' : 'No unimported email'}>
            {isWaiting ? (
              <a href={paths.unimported()}>Show all unimported email</a>
            ) : (
              'So far, every email has become part of a ticket.'
            )}
          </EmptyState>
        ) : (
          <Entries entries={page.entries} mailboxOptions={known} />
        )}
        <Pager
          path={paths.unimported()}
          keep={chosen === undefined ? {} : { mailbox: chosen.id }}
          position={position}
          next={page.next}
        />
      </Page>,
    ),
  );
}

/** A mailbox to filter by, including deleted ones. */
interface MailboxOption {
  id: string;
  label: string;
}

async function mailboxOptions(mailboxes: MailServices['mailboxes']): Promise<MailboxOption[]> {
  const [known, removed] = await Promise.all([mailboxes.list(), mailboxes.removed()]);
  const ids = new Set(known.map(({ id }) => id));
  return [
    ...known.map(({ id, address }) => ({ id, label: address })),
    ...removed
      .filter(({ id }) => !ids.has(id))
      .map(({ id, address }) => ({ id, label: `${address} (deleted)` })),
  ];
}

function MailboxChoice(props: { mailboxOptions: readonly MailboxOption[]; chosen: string }) {
  const options = props.mailboxOptions.map(({ id, label }) => ({ value: id, label }));
  return (
    <form class="choose" method="get" action={paths.unimported()} data-submit-on-change="">
      <SelectField
        name="mailbox"
        label="Mailbox"
        value={props.chosen}
        options={[{ value: ALL, label: 'All mailboxes' }, ...options]}
      />
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function Entries(props: { entries: readonly QuarantineEntry[]; mailboxOptions: readonly MailboxOption[] }) {
  const labels = new Map(props.mailboxOptions.map(({ id, label }) => [id, label]));
  return (
    <DataTable caption="Emails without a ticket" head={['Email', 'Reason', 'Received', 'Original', '']}>
      {props.entries.map((entry) => (
        <tr>
          <td data-label="Email">
            <span>
              <strong>{entry.subject?.trim() || '(no subject)'}</strong>
              <br />
              <span class="muted small">
                {entry.from ?? 'Unknown sender'}
                <br />
                To {labels.get(entry.mailboxId) ?? 'a deleted mailbox'}
              </span>
            </span>
          </td>
          <td data-label="Reason">
            <span>
              <EntryState entry={entry} />
              <br />
              {entry.reason}
            </span>
          </td>
          <td data-label="Received">
            <Time at={entry.at} />
          </td>
          <td data-label="Original">
            <Original entry={entry} />
          </td>
          <td>
            <Actions entry={entry} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function Original(props: { entry: QuarantineEntry }) {
  const { entry } = props;
  if (entry.rawBlob === undefined) return <span>On the mail server ({readableSize(entry.size)})</span>;
  const address = paths.unimportedOriginal({ mailboxId: entry.mailboxId }, { key: entry.key });
  return (
    <span>
      <a href={address} download="" aria-label={`Download ${entry.subject?.trim() || 'the email'}`}>
        Download
      </a>{' '}
      <span class="muted">{readableSize(entry.size)}</span>
    </span>
  );
}

function EntryState(props: { entry: QuarantineEntry }) {
  const { kind, handled } = props.entry;
  if (handled === undefined)
    return (
      <StatusLabel kind={kind === 'quarantined' ? 'warn' : 'quiet'}>
        {kind === 'quarantined' ? 'Not imported' : 'Skipped'}
      </StatusLabel>
    );
  const { outcome, at, by, ticket } = handled;
  return (
    <>
      <StatusLabel kind={outcome === 'dismissed' ? 'quiet' : 'good'}>{inWords[outcome]}</StatusLabel>{' '}
      {ticket === undefined ? null : <a href={paths.ticket({ id: ticket.id })}>Ticket #{ticket.number}</a>}{' '}
      <span class="muted small">
        by {by}, <Time at={at} />
      </span>
    </>
  );
}

const inWords: Readonly<Record<Handled['outcome'], string>> = {
  imported: 'Imported',
  'ticket made': 'Ticket made',
  dismissed: 'Dismissed',
};

/** A duplicate has no actions. A processed email can still become a ticket, unless it is in one. */
function Actions(props: { entry: QuarantineEntry }) {
  const { entry } = props;
  const { mailboxId, key, kind, handled, size } = entry;
  const isCopy = kind === 'skipped' && entry.reason.startsWith(reasonOfCopyBegins);
  if (isCopy || handled?.ticket !== undefined) return null;
  const name = entry.subject?.trim() || 'the email';
  const button = (action: string, label: string) => (
    <button
      type="submit"
      class="button secondary"
      name="key"
      value={key}
      formaction={action}
      aria-label={`${label}: ${name}`}
    >
      {label}
    </button>
  );
  return (
    <form class="actions" method="post">
      {kind === 'quarantined' && size <= limits.rawBytes
        ? button(paths.retryUnimported({ mailboxId }), 'Try again')
        : null}
      {button(paths.ticketOfUnimported({ mailboxId }), 'Make a ticket')}
      {kind === 'quarantined' && handled === undefined
        ? button(paths.dismissUnimported({ mailboxId }), 'Dismiss')
        : null}
    </form>
  );
}

/** Maximum of entries, newest first. The list of all email has the others. */
const MAX_WAITING = 200;

async function waitingEntries(
  quarantine: MailServices['quarantine'],
  mailboxId: string | undefined,
): Promise<QuarantineEntry[]> {
  const open = (await quarantine.open(MAX_WAITING)).filter(
    (one) => mailboxId === undefined || one.mailboxId === mailboxId,
  );
  const entries = await mapLimited(open, 8, (one) => quarantine.get(one.mailboxId, one.key));
  return entries.flatMap((entry) => entry ?? []);
}

function flashFor(c: MailContext): Flash | undefined {
  const flash = flashOf(c, flashes);
  const number = Number(c.req.query('number'));
  if (c.req.query('flash') !== 'ticket' || !Number.isInteger(number) || number < 1) return flash;
  return { kind: 'success', text: `The email is now in ticket #${number}.` };
}

export const retryUnimportedEmail = (c: MailContext): Promise<Response> =>
  actOn(c, (entry) => tryAgain(c.get('services'), entry, c.get('principal')));

export const makeTicketOfUnimported = (c: MailContext): Promise<Response> =>
  actOn(c, (entry) => makeTicket(c.get('services'), entry, c.get('principal')));

export const dismissUnimported = (c: MailContext): Promise<Response> =>
  actOn(c, async (entry) => {
    await dismiss(c.get('services'), entry, c.get('principal'));
    return { flash: 'dismissed' };
  });

async function actOn(
  c: MailContext,
  act: (entry: QuarantineEntry) => Promise<{ flash: string; number?: number | undefined }>,
): Promise<Response> {
  const mailboxId = c.req.param('mailboxId') ?? '';
  const { key = '' } = await formData(c);
  if (!KEY.test(mailboxId) || !KEY.test(key)) return c.notFound();
  const entry = await mailServices(c).quarantine.get(mailboxId, key);
  if (entry === undefined) return c.notFound();
  return c.redirect(paths.unimported({ ...(await act(entry)) }), 303);
}

export async function downloadUnimported(c: MailContext): Promise<Response> {
  const { quarantine, blobs } = mailServices(c);
  const mailboxId = c.req.param('mailboxId') ?? '';
  const key = c.req.query('key') ?? '';
  if (!KEY.test(mailboxId) || !KEY.test(key)) return c.notFound();
  const entry = await quarantine.get(mailboxId, key);
  const bytes = entry?.rawBlob === undefined ? undefined : await blobs.stream(entry.rawBlob);
  if (entry === undefined || bytes === undefined) return c.notFound();
  const filename = `${entry.kind === 'quarantined' ? 'unimported' : 'skipped'}-${entry.at.slice(0, 10)}.eml`;
  await recordChange(c, {
    action: 'original read',
    subject: { kind: 'quarantine', id: key, name: filename },
    after: { mailbox: mailboxId },
  });
  return fileResponse(c, bytes, { filename, contentType: 'message/rfc822' });
}
