/** Blocked and always-allowed senders, for all mailboxes. For admins; agents block from a ticket. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { changeSenderRule } from '../../../shared/senders/change-sender-rule.ts';
import { parseSender, type SenderRule, senderProblem } from '../../../shared/senders/sender-rule.ts';
import { ErrorSummary, RadioField, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Panel, StatusLabel, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  blocked: {
    kind: 'success',
    text: 'Sender blocked. New email from this sender no longer becomes a ticket.',
  },
  allowed: { kind: 'success', text: 'Sender always allowed.' },
  removed: { kind: 'success', text: 'Sender removed from the list.' },
};

export async function showSenders(c: PageContext): Promise<Response> {
  return c.html(await sendersPage(c, { kind: 'blocked' }, {}));
}

export async function addSender(c: PageContext): Promise<Response> {
  const typed = await formData(c);
  const sender = parseSender(typed['sender'] ?? '');
  const kind = typed['kind'] === 'allowed' ? 'allowed' : 'blocked';
  const problem = senderProblem(sender);
  if (sender === undefined || problem !== undefined)
    return c.html(await sendersPage(c, typed, { sender: problem ?? '' }), 422);
  await changeSenderRule(c.get('services'), sender, kind, c.get('principal'));
  return c.redirect(paths.senders({ flash: kind }), 303);
}

export async function removeSender(c: PageContext): Promise<Response> {
  const sender = parseSender((await formData(c))['sender'] ?? '');
  if (sender === undefined) return c.notFound();
  await changeSenderRule(c.get('services'), sender, undefined, c.get('principal'));
  return c.redirect(paths.senders({ flash: 'removed' }), 303);
}

async function sendersPage(
  c: PageContext,
  typed: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>>,
): Promise<string> {
  const rules = await c.get('services').senderRules.list();
  return renderPage(
    <Page
      title="Senders"
      principal={c.get('principal')}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
      flash={flashOf(c, flashes)}
    >
      <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Mailboxes')} />
      <ErrorSummary errors={errors} />
      <p>
        Email from a blocked sender never becomes a ticket; it is listed as skipped under{' '}
        <a href={paths.unimported()}>Unimported email</a>. Email from an always-allowed sender becomes part of
        a ticket even if it is automatic or its domain is blocked. Both apply to all mailboxes.
      </p>
      <Panel title="Add a sender">
        <form method="post" action={paths.senders()} novalidate data-keep="">
          <TextField
            name="sender"
            label="Email address or domain"
            hint="A domain includes its subdomains. Examples: kim@example.org, example.org."
            value={typed['sender']}
            error={errors['sender']}
            autocomplete="off"
            spellcheck={false}
          />
          <RadioField
            name="kind"
            legend="Rule"
            value={typed['kind']}
            options={[
              { value: 'blocked', label: 'Block' },
              { value: 'allowed', label: 'Always allow' },
            ]}
          />
          <SubmitButton>Add sender</SubmitButton>
        </form>
      </Panel>
      {rules.length === 0 ? (
        <EmptyState title="No senders yet">
          No sender is blocked. You can also block a sender on the page of one of its tickets.
        </EmptyState>
      ) : (
        <DataTable caption="Blocked and always-allowed senders" head={['Sender', 'Rule', 'Added', '']}>
          {rules.map((rule) => (
            <SenderRow rule={rule} />
          ))}
        </DataTable>
      )}
    </Page>,
  );
}

function SenderRow(props: { rule: SenderRule }): JSX.Element {
  const { sender, kind, addedAt, addedBy } = props.rule;
  return (
    <tr>
      <td data-label="Sender">{sender}</td>
      <td data-label="Rule">
        <StatusLabel kind={kind === 'blocked' ? 'bad' : 'good'}>
          {kind === 'blocked' ? 'Blocked' : 'Always allowed'}
        </StatusLabel>
      </td>
      <td data-label="Added">
        <span>
          <Time at={addedAt} /> by {addedBy}
        </span>
      </td>
      <td>
        <div class="actions">
          <form method="post" action={paths.removeSender()}>
            <input type="hidden" name="sender" value={sender} />
            <button type="submit" class="button secondary" aria-label={`Remove ${sender}`}>
              Remove
            </button>
          </form>
        </div>
      </td>
    </tr>
  );
}
