/** The audit log, and its export as CSV or JSON. For admins. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import {
  type AuditEntry,
  type AuditKind,
  auditKinds,
  type ChangedSetting,
} from '../../../shared/audit/audit.ts';
import { auditAsCsv, auditAsJson } from '../../../shared/audit/audit-export.ts';
import type { AuditFilter, AuditPage } from '../../../shared/audit/audit-store.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { ButtonLink, SelectField, SubmitButton } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Time } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { Pager, type Position, readPosition } from '../../../shared/ui/pager.tsx';
import { fileResponse } from '../../http/file-download.ts';
import { recordChange } from '../../http/record-change.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

const PAGE_SIZE = 50;
const EVERYTHING = '';
const labels: Readonly<Record<AuditKind, string>> = {
  provider: 'Providers',
  account: 'Accounts',
  mailbox: 'Mailboxes',
  invitation: 'Invitations',
  ticket: 'Tickets',
  quarantine: 'Unimported email',
  alert: 'Alerts',
  secret: 'Secrets',
  sender: 'Senders',
  'canned-reply': 'Canned replies',
  audit: 'This log',
};

export async function exportAuditAsCsv(c: PageContext): Promise<Response> {
  await recordExport(c, 'CSV');
  const changes = auditAsCsv(c.get('services').audit.all(filterOf(c)));
  return fileResponse(c, changes, { filename: 'postroom-audit.csv', contentType: 'text/csv' });
}

export async function exportAuditAsJson(c: PageContext): Promise<Response> {
  await recordExport(c, 'JSON');
  const changes = auditAsJson(c.get('services').audit.all(filterOf(c)));
  return fileResponse(c, changes, { filename: 'postroom-audit.json', contentType: 'application/json' });
}

/** Called before the file is sent: an export that cannot be recorded does not happen. */
const recordExport = (c: PageContext, format: string): Promise<void> =>
  recordChange(c, {
    action: 'exported',
    subject: { kind: 'audit', id: 'audit', name: 'Audit log' },
    after: { format, kind: c.req.query('kind'), id: c.req.query('id') },
  });

function filterOf(c: PageContext): AuditFilter {
  const kind = auditKinds.find((one) => one === c.req.query('kind'));
  const id = c.req.query('id');
  return { kind, id: id === undefined || id === '' || kind === undefined ? undefined : id };
}

export async function showAudit(c: PageContext): Promise<Response> {
  const filter = filterOf(c);
  const position = readPosition({ after: c.req.query('after'), back: c.req.queries('back') });
  const page = await c.get('services').audit.page({ ...filter, after: position.after, limit: PAGE_SIZE });
  const keep: Record<string, string> = {
    ...(filter.kind !== undefined && { kind: filter.kind }),
    ...(filter.id !== undefined && { id: filter.id }),
  };
  return c.html(
    renderPage(
      <Page title="Audit log" place="audit" principal={c.get('principal')} wide>
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Audit')} />
        <Filter filter={filter} name={page.entries[0]?.subject.name} />
        <Changes page={page} filtered={filter.kind !== undefined} position={position} />
        <Pager path={paths.audit()} keep={keep} position={position} next={page.next} />
        {page.entries.length === 0 ? null : <Exports keep={keep} />}
      </Page>,
    ),
  );
}

function Filter(props: { filter: AuditFilter; name: string | undefined }): JSX.Element {
  const { kind, id } = props.filter;
  if (kind !== undefined && id !== undefined)
    return (
      <p>
        Changes to <strong>{props.name ?? 'this one'}</strong> only.{' '}
        <a href={paths.audit()}>Show all changes</a>
      </p>
    );
  const options = [
    { value: EVERYTHING, label: 'Everything' },
    ...auditKinds.map((value) => ({ value, label: labels[value] })),
  ];
  return (
    <form class="choose" method="get" action={paths.audit()} data-submit-on-change="">
      <SelectField name="kind" label="Changes to" value={kind ?? EVERYTHING} options={options} />
      <SubmitButton kind="secondary">Show</SubmitButton>
    </form>
  );
}

function Changes(props: { page: AuditPage; filtered: boolean; position: Position }): JSX.Element {
  const { page, filtered, position } = props;
  if (page.entries.length > 0)
    return (
      <DataTable caption="Changes, newest first" head={['When', 'Who', 'What', 'Settings']}>
        {page.entries.map((entry) => (
          <Change entry={entry} />
        ))}
      </DataTable>
    );
  if (page.next !== undefined)
    return (
      <EmptyState title="No matching changes here">
        This part of the log contains only other changes. Choose “Older” to search further back.
      </EmptyState>
    );
  if (filtered || position.after !== undefined)
    return (
      <EmptyState title="No matching changes">
        <a href={paths.audit()}>Show all changes</a>
      </EmptyState>
    );
  return (
    <EmptyState title="No changes yet">
      Every configuration change is recorded with who made it and when. Secrets and email content are never
      recorded.
    </EmptyState>
  );
}

function Change(props: { entry: AuditEntry }): JSX.Element {
  const { at, principal, action, subject, changes } = props.entry;
  const kind = auditKinds.find((one) => one === subject.kind);
  return (
    <tr>
      <td data-label="When">
        <Time at={at} />
      </td>
      <td data-label="Who">{principal.name}</td>
      <td data-label="What">
        <span>
          {subject.kind}{' '}
          {kind === undefined ? (
            subject.name
          ) : (
            <a href={paths.audit({ kind, id: subject.id })}>{subject.name}</a>
          )}{' '}
          {action}
        </span>
      </td>
      <td data-label="Settings">
        {changes.length === 0 ? (
          <span class="muted">none</span>
        ) : (
          <ul class="plain">
            {changes.map((change) => (
              <ChangedLine change={change} />
            ))}
          </ul>
        )}
      </td>
    </tr>
  );
}

function ChangedLine(props: { change: ChangedSetting }): JSX.Element {
  const { name, before, after } = props.change;
  return (
    <li>
      <span class="muted">{name}:</span>{' '}
      {before === undefined ? null : <>{before === '' ? 'empty' : before} → </>}
      {after === undefined ? <span class="muted">removed</span> : after === '' ? 'empty' : after}
    </li>
  );
}

function Exports(props: { keep: Readonly<Record<string, string>> }): JSX.Element {
  return (
    <p>
      <ButtonLink href={paths.auditAsCsv(props.keep)} kind="secondary">
        Download as CSV
      </ButtonLink>{' '}
      <ButtonLink href={paths.auditAsJson(props.keep)} kind="secondary">
        Download as JSON
      </ButtonLink>
    </p>
  );
}
