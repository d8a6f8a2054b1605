/** Texts that agents insert into replies: list, add, edit, delete. For admins. */
import { randomBytes } from 'node:crypto';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { base32 } from '../../../shared/providers/base32.ts';
import {
  type CannedReply,
  cannedReplyLimits,
  parseCannedReply,
} from '../../../shared/replies/canned-reply.ts';
import { templateVariables } from '../../../shared/templates/template.ts';
import {
  ButtonLink,
  ErrorSummary,
  type FieldErrors,
  SubmitButton,
  TextAreaField,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { DataTable, EmptyState, Time } from '../../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { changeCannedReply } from '../../use-cases/change-canned-reply.ts';
import { UnreadableNote } from '../errors/unreadable-note.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  added: { kind: 'success', text: 'Canned reply added.' },
  changed: { kind: 'success', text: 'Canned reply changed.' },
  deleted: { kind: 'success', text: 'Canned reply deleted.' },
};

export async function showCannedReplies(c: PageContext): Promise<Response> {
  const all = await c.get('services').cannedReplies.list();
  return c.html(
    renderPage(
      <Page
        title="Canned replies"
        principal={c.get('principal')}
        place="mailboxes"
        flash={flashOf(c, flashes)}
      >
        <UnreadableNote rows={unreadableRows(c.get('services').tables, 'Mailboxes')} />
        <p>
          Agents insert a canned reply into the reply form of a ticket, and can change it before they send it.
        </p>
        <p>
          <ButtonLink href={paths.newCannedReply()}>Add a canned reply</ButtonLink>
        </p>
        {all.length === 0 ? (
          <EmptyState title="No canned replies yet">Add the texts that you send again and again.</EmptyState>
        ) : (
          <DataTable caption="Canned replies" head={['Name', 'Text', 'Changed', '']}>
            {all.map((reply) => (
              <Row reply={reply} />
            ))}
          </DataTable>
        )}
      </Page>,
    ),
  );
}

const SHOWN = 120;

function Row({ reply }: { reply: CannedReply }): JSX.Element {
  const { id, name, text, changedAt, changedBy } = reply;
  return (
    <tr>
      <td data-label="Name">
        <a href={paths.editCannedReply({ id })}>{name}</a>
      </td>
      <td data-label="Text">{text.length > SHOWN ? `${text.slice(0, SHOWN).toWellFormed()}…` : text}</td>
      <td data-label="Changed">
        <span>
          <Time at={changedAt} /> by {changedBy}
        </span>
      </td>
      <td>
        <a href={paths.deleteCannedReply({ id })} aria-label={`Delete ${name}`}>
          Delete
        </a>
      </td>
    </tr>
  );
}

export async function showNewCannedReply(c: PageContext): Promise<Response> {
  return c.html(formPage(c, undefined, {}, {}));
}

export async function addCannedReply(c: PageContext): Promise<Response> {
  return save(c, undefined);
}

export async function showCannedReply(c: PageContext): Promise<Response> {
  const reply = await replyOf(c);
  if (reply === undefined) return c.notFound();
  return c.html(formPage(c, reply, { name: reply.name, text: reply.text }, {}));
}

export async function editCannedReply(c: PageContext): Promise<Response> {
  const reply = await replyOf(c);
  return reply === undefined ? c.notFound() : save(c, reply);
}

/** Asks for confirmation. */
export async function showCannedReplyDeletion(c: PageContext): Promise<Response> {
  const reply = await replyOf(c);
  if (reply === undefined) return c.notFound();
  return c.html(
    renderPage(
      <Page title={`Delete ${reply.name}?`} principal={c.get('principal')} place="mailboxes">
        <p>Agents can no longer insert it. Drafts and replies that contain its text keep it.</p>
        <form method="post" action={paths.deleteCannedReply(reply)}>
          <div class="actions">
            <SubmitButton kind="danger">Delete canned reply</SubmitButton>
            <ButtonLink href={paths.cannedReplies()} kind="secondary">
              Cancel
            </ButtonLink>
          </div>
        </form>
      </Page>,
    ),
  );
}

export async function confirmCannedReplyDeletion(c: PageContext): Promise<Response> {
  const reply = await replyOf(c);
  // Another admin may have deleted it meanwhile.
  if (reply !== undefined) await changeCannedReply(c.get('services'), reply, undefined, c.get('principal'));
  return c.redirect(paths.cannedReplies({ flash: 'deleted' }), 303);
}

async function save(c: PageContext, before: CannedReply | undefined): Promise<Response> {
  const typed = await formData(c);
  const parsed = parseCannedReply(typed);
  if (parsed.kind === 'invalid') return c.html(formPage(c, before, typed, parsed.errors), 422);
  const { name, text } = parsed;
  const by = c.get('principal');
  const changedAt = new Date(c.get('services').seam.now()).toISOString();
  const after = { id: before?.id ?? base32(randomBytes(16)), name, text, changedAt, changedBy: by.name };
  await changeCannedReply(c.get('services'), before, after, by);
  return c.redirect(paths.cannedReplies({ flash: before === undefined ? 'added' : 'changed' }), 303);
}

async function replyOf(c: PageContext): Promise<CannedReply | undefined> {
  const id = /^[\w-]{1,64}$/.exec(c.req.param('id') ?? '')?.[0];
  return id === undefined ? undefined : c.get('services').cannedReplies.get(id);
}

function formPage(
  c: PageContext,
  reply: CannedReply | undefined,
  typed: Readonly<Record<string, string>>,
  errors: FieldErrors,
): string {
  return renderPage(
    <Page
      title={reply === undefined ? 'Add a canned reply' : reply.name}
      principal={c.get('principal')}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
    >
      <ErrorSummary errors={errors} />
      <form
        method="post"
        action={reply === undefined ? paths.newCannedReply() : paths.editCannedReply({ id: reply.id })}
        novalidate
        data-keep=""
      >
        <TextField
          name="name"
          label="Name"
          hint={`Shown to agents when they choose a reply. At most ${cannedReplyLimits.name} characters.`}
          value={typed['name']}
          error={errors['name']}
          autocomplete="off"
        />
        <TextAreaField
          name="text"
          label="Text"
          hint={
            <>
              Markdown works. Variables are filled in when an agent inserts the reply:{' '}
              {templateVariables.map((variable, index) => (
                <>
                  {index === 0 ? '' : ', '}
                  <code>{`{{${variable}}}`}</code>
                </>
              ))}
              .
            </>
          }
          rows={12}
          value={typed['text']}
          error={errors['text']}
        />
        <div class="actions">
          <SubmitButton>Save</SubmitButton>
          <ButtonLink href={paths.cannedReplies()} kind="secondary">
            Cancel
          </ButtonLink>
        </div>
      </form>
    </Page>,
  );
}
