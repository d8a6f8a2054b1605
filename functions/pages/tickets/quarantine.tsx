/** Emails without a ticket, with the reason and the original to download. For agents. */
import type { QuarantineEntry } from '../../../shared/intake/quarantine-records.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { SelectField, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../../shared/ui/pager.tsx';
import { readableSize } from '../../../shared/ui/size.ts';
import { fileResponse } from '../../http/file-download.ts';
import { type MailContext, type MailServices, mailServices } from './mail-services.ts';
import { recordChange } from '../../http/record-change.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

const PAGE_SIZE = 50;
const ALL = '';
// Only text that is a valid table key is looked up.
const KEY = /^[^/\\#?\p{Cc}]{1,400}$/u;

export async function showQuarantine(c: MailContext): Promise<Response> {
  const { quarantine, mailboxes } = mailServices(c);
  const known = await shelves(mailboxes);
  const chosen = known.find(({ id }) => id === c.req.query('mailbox'));
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const range = { after: position.after, limit: PAGE_SIZE };
  const page =
    chosen === undefined
      ? await quarantine.pageOfAll(
          known.map(({ id }) => id),
          range,
        )
      : await quarantine.page(chosen.id, range);
  return c.html(
    renderPage(
      <Page title="Quarantine" principal={c.get('principal')} place="quarantine" wide>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Quarantine')} />
        <p>
          Emails that did not become tickets, and why. <em>Quarantined</em>: could not be read.{' '}
          <em>Skipped</em>: not imported on purpose, such as duplicates. Nothing is deleted.
        </p>
        {known.length > 1 ? <MailboxChoice shelves={known} chosen={chosen?.id ?? ALL} /> : null}
        {page.entries.length === 0 ? (
          <EmptyState title="Nothing in quarantine">Every email so far became part of a ticket.</EmptyState>
        ) : (
          <Entries entries={page.entries} shelves={known} />
        )}
        <Pager
          path={paths.quarantine()}
          keep={chosen === undefined ? {} : { mailbox: chosen.id }}
          position={position}
          next={page.next}
        />
      </Page>,
    ),
  );
}

/** A mailbox to filter by, including deleted ones. */
interface Shelf {
  id: string;
  label: string;
}

async function shelves(mailboxes: MailServices['mailboxes']): Promise<Shelf[]> {
  const [known, removed] = await Promise.all([mailboxes.list(), mailboxes.removed()]);
  const ids = new Set(known.map(({ id }) => id));
  return [
    ...known.map(({ id, address }) => ({ id, label: address })),
    ...removed
      .filter(({ id }) => !ids.has(id))
      .map(({ id, address }) => ({ id, label: `${address} (deleted)` })),
  ];
}

function MailboxChoice(props: { shelves: readonly Shelf[]; chosen: string }) {
  const options = props.shelves.map(({ id, label }) => ({ value: id, label }));
  return (
    <form class="choose" method="get" action={paths.quarantine()} data-submit-on-change="">
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

function Entries(props: { entries: readonly QuarantineEntry[]; shelves: readonly Shelf[] }) {
  const labels = new Map(props.shelves.map(({ id, label }) => [id, label]));
  return (
    <DataTable
      caption="Emails without a ticket"
      head={['Email', 'Reason', 'Mailbox', 'Received', 'Original']}
    >
      {props.entries.map((entry) => (
        <tr>
          <td data-label="Email">
            <span>
              <strong>{entry.subject?.trim() || '(no subject)'}</strong>
              <br />
              <span class="muted small">{entry.from ?? 'Unknown sender'}</span>
            </span>
          </td>
          <td data-label="Reason">
            <span>
              <StatusLabel kind={entry.kind === 'quarantined' ? 'warn' : 'quiet'}>
                {entry.kind === 'quarantined' ? 'Quarantined' : 'Skipped'}
              </StatusLabel>
              <br />
              {entry.reason}
            </span>
          </td>
          <td data-label="Mailbox">{labels.get(entry.mailboxId) ?? 'Deleted mailbox'}</td>
          <td data-label="Received">
            <Time at={entry.at} />
          </td>
          <td data-label="Original">
            <Original entry={entry} />
          </td>
        </tr>
      ))}
    </DataTable>
  );
}

function Original(props: { entry: QuarantineEntry }) {
  const { entry } = props;
  if (entry.rawBlob === undefined) return <span>On the mail server ({readableSize(entry.size)})</span>;
  const address = paths.quarantinedOriginal({ mailboxId: entry.mailboxId }, { key: entry.key });
  return (
    <span>
      <a href={address} download="" aria-label={`Download ${entry.subject?.trim() || 'the email'}`}>
        Download
      </a>{' '}
      <span class="muted">{readableSize(entry.size)}</span>
    </span>
  );
}

export async function downloadQuarantined(c: MailContext): Promise<Response> {
  const { quarantine, blobs } = mailServices(c);
  const mailboxId = c.req.param('mailboxId') ?? '';
  const key = c.req.query('key') ?? '';
  if (!KEY.test(mailboxId) || !KEY.test(key)) return c.notFound();
  const entry = await quarantine.get(mailboxId, key);
  const bytes = entry?.rawBlob === undefined ? undefined : await blobs.stream(entry.rawBlob);
  if (entry === undefined || bytes === undefined) return c.notFound();
  const filename = `${entry.kind}-${entry.at.slice(0, 10)}.eml`;
  await recordChange(c, {
    action: 'original read',
    subject: { kind: 'quarantine', id: key, name: filename },
    after: { mailbox: mailboxId },
  });
  return fileResponse(c, bytes, { filename, contentType: 'message/rfc822' });
}
