import { Hono } from 'hono';
import type { QuarantineEntry } from '../../shared/intake/quarantine-store.ts';
import type { Mailbox } from '../../shared/mailboxes/mailbox.ts';
import { SelectField, SubmitButton } from '../../shared/ui/forms.tsx';
import { DataTable, EmptyState, StatusLabel, Time } from '../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../shared/ui/page.tsx';
import { Pager, readPosition } from '../../shared/ui/pager.tsx';
import { readableSize } from '../../shared/ui/size.ts';
import { requireRole } from '../guard.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { fileResponse } from './file-download.ts';
import { type MailContext, type MailServices, mailServices } from './mail-services.ts';

const PAGE_SIZE = 50;
const ALL = '';
// What a table key may hold is all that is asked for.
const KEY = /^[^/\\#?\p{Cc}]{1,400}$/u;
/** How many mailboxes the view of all of them asks; beyond it one has to be chosen. */
const MOST_AT_ONCE = 30;

/** Mail that became no ticket, with the reason, and its original to download. For agents. */
export function quarantinePages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();
  const agent = requireRole('agent');
  pages.get('/quarantine', agent, showQuarantine);
  pages.get('/quarantine/:mailboxId/raw', agent, downloadOriginal);
  return pages;
}

async function showQuarantine(c: MailContext): Promise<Response> {
  const { quarantine, mailboxes } = mailServices(c);
  const known = await mailboxes.list();
  const chosen = known.find(({ id }) => id === c.req.query('mailbox'));
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const page =
    chosen === undefined
      ? { entries: await newestOfAll(quarantine, known), next: undefined }
      : await quarantine.page(chosen.id, { after: position.after, limit: PAGE_SIZE });
  return c.html(
    renderPage(
      <Page title="Quarantine" principal={c.get('principal')} place="quarantine" wide>
        <p>
          Mail that became no ticket stands here with its reason. Nothing is thrown away: quarantined mail was
          kept because it could not be read, skipped mail because it is no message of its own.
        </p>
        {known.length > 1 ? <MailboxChoice mailboxes={known} chosen={chosen?.id ?? ALL} /> : null}
        {page.entries.length === 0 ? (
          <EmptyState title="Nothing in quarantine">Every mail so far became part of a ticket.</EmptyState>
        ) : (
          <Entries entries={page.entries} mailboxes={known} />
        )}
        {chosen === undefined ? null : (
          <Pager path="/quarantine" keep={{ mailbox: chosen.id }} position={position} next={page.next} />
        )}
      </Page>,
    ),
  );
}

async function newestOfAll(
  quarantine: MailServices['quarantine'],
  mailboxes: readonly Mailbox[],
): Promise<QuarantineEntry[]> {
  const pages = await Promise.all(
    mailboxes.slice(0, MOST_AT_ONCE).map(({ id }) => quarantine.page(id, { limit: PAGE_SIZE })),
  );
  return pages
    .flatMap(({ entries }) => entries)
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, PAGE_SIZE);
}

function MailboxChoice(props: { mailboxes: readonly Mailbox[]; chosen: string }) {
  const options = props.mailboxes.map(({ id, address }) => ({ value: id, label: address }));
  return (
    <form class="choose" method="get" action="/quarantine" data-submit-on-change="">
      <SelectField
        name="mailbox"
        label="Mailbox"
        value={props.chosen}
        options={[{ value: ALL, label: 'Newest of all mailboxes' }, ...options]}
      />
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function Entries(props: { entries: readonly QuarantineEntry[]; mailboxes: readonly Mailbox[] }) {
  const addresses = new Map(props.mailboxes.map(({ id, address }) => [id, address]));
  return (
    <DataTable
      caption="Mail that became no ticket"
      head={['Mail', 'Reason', 'Mailbox', 'Received', 'Original']}
    >
      {props.entries.map((entry) => (
        <tr>
          <td data-label="Mail">
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
          <td data-label="Mailbox">{addresses.get(entry.mailboxId) ?? 'Removed mailbox'}</td>
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
  const address = `/quarantine/${encodeURIComponent(entry.mailboxId)}/raw?key=${encodeURIComponent(entry.key)}`;
  return (
    <span>
      <a href={address} download="" aria-label={`Download ${entry.subject?.trim() || 'the mail'}`}>
        Download
      </a>{' '}
      <span class="muted">{readableSize(entry.size)}</span>
    </span>
  );
}

async function downloadOriginal(c: MailContext): Promise<Response> {
  const { quarantine, blobs } = mailServices(c);
  const mailboxId = c.req.param('mailboxId') ?? '';
  const key = c.req.query('key') ?? '';
  if (!KEY.test(mailboxId) || !KEY.test(key)) return c.notFound();
  const entry = await quarantine.get(mailboxId, key);
  const bytes = entry?.rawBlob === undefined ? undefined : await blobs.stream(entry.rawBlob);
  if (entry === undefined || bytes === undefined) return c.notFound();
  const filename = `${entry.kind}-${entry.at.slice(0, 10)}.eml`;
  return fileResponse(c, bytes, { filename, contentType: 'message/rfc822' });
}
