/** The form of a reply, at the end of its ticket. Every button posts the whole form, so it needs no script. */
import { raw } from 'hono/html';
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { AttachmentLimit } from '../../../shared/outbox/sending-limits.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { CannedReply } from '../../../shared/replies/canned-reply.ts';
import type { ReplyDraft } from '../../../shared/replies/reply-draft.ts';
import type { RenderedText } from '../../../shared/templates/render-markdown.ts';
import {
  CheckboxField,
  type FieldErrors,
  SelectField,
  SubmitButton,
  TextAreaField,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { Facts, Time } from '../../../shared/ui/lists.tsx';
import { readableSize } from '../../../shared/ui/size.ts';

/** What the form shows. */
export interface ReplyFormState {
  /** Fields as typed. */
  draft: Omit<ReplyDraft, 'savedAt'>;
  /** When the stored draft was saved that this form changes; empty if there is none. */
  version: string;
  /** The ID that the reply gets. */
  replyId: string;
  errors: FieldErrors;
  /** What happened on the ticket since the form was opened, in sentences. */
  changes: readonly string[];
  /** The person pressed “Send”, and the changes kept the reply from leaving. */
  isHeldBack?: boolean;
  /** Another window has saved this since. */
  otherWindow?: ReplyDraft | undefined;
  preview?: (RenderedText & { subject: string; from: string }) | undefined;
  /** Other people with a draft. */
  others: readonly { name: string; savedAt: string }[];
  canned: readonly CannedReply[];
  attachmentLimit: AttachmentLimit;
  /** Absent: there is no message to quote. */
  quotedFrom: string | undefined;
  /** Why nobody can reply. */
  problem: string | undefined;
}

const MB = 1024 * 1024;
export const DETACH = 'detach ';

export function ReplyForm({ state }: { state: ReplyFormState }): JSX.Element {
  const { draft, problem } = state;
  return (
    <section class="panel reply" id="reply" aria-labelledby="reply-title">
      <h2 id="reply-title">Reply</h2>
      <Others others={state.others} />
      {problem === undefined ? <Form state={state} /> : <p>{problem}</p>}
      {problem !== undefined && draft.text !== '' ? <div class="mail-text">{draft.text}</div> : null}
    </section>
  );
}

function Form({ state }: { state: ReplyFormState }): JSX.Element {
  const { draft, errors } = state;
  return (
    <form
      method="post"
      enctype="multipart/form-data"
      action={paths.reply({ id: draft.ticketId })}
      novalidate
      data-draft={paths.saveDraft({ id: draft.ticketId })}
    >
      <button type="submit" name="action" value="save" hidden>
        Save draft
      </button>
      <input type="hidden" name="seen" value={draft.seen} />
      <input type="hidden" name="version" value={state.version} />
      <input type="hidden" name="reply" value={state.replyId} />
      <Warnings state={state} />
      <div class="recipient-fields">
        <Recipient name="to" label="To" value={draft.to} error={errors['to']} />
        <Recipient name="cc" label="Cc" value={draft.cc} error={errors['cc']} />
        <Recipient name="bcc" label="Bcc" value={draft.bcc} error={errors['bcc']} />
      </div>
      <TextAreaField
        name="text"
        label="Message"
        hint="Markdown works: **bold**, *italic*, lists and links."
        rows={10}
        value={draft.text}
        error={errors['text']}
      />
      <p class="hint" data-draft-state="" aria-live="polite">
        {state.version === '' ? null : (
          <>
            Draft saved <Time at={state.version} />
          </>
        )}
      </p>
      {state.quotedFrom === undefined ? null : (
        <CheckboxField
          name="quotes"
          label={`Quote the message of ${state.quotedFrom}`}
          checked={draft.quotes}
        />
      )}
      <Canned canned={state.canned} />
      <Files draft={draft} limit={state.attachmentLimit} error={errors['files']} />
      <Preview state={state} />
      <div class="actions">
        <Action value="send" kind="primary">
          Send
        </Action>
        <Action value="send-close">Send and close</Action>
        <Action value="send-wait">Send and wait for the customer</Action>
        <Action value="preview">Preview</Action>
        <Action value="save">Save draft</Action>
        {state.version === '' ? null : <Action value="discard">Discard draft</Action>}
      </div>
    </form>
  );
}

function Action(props: { value: string; kind?: 'primary'; children: string }): JSX.Element {
  return (
    <SubmitButton name="action" value={props.value} kind={props.kind ?? 'secondary'}>
      {props.children}
    </SubmitButton>
  );
}

function Recipient(props: {
  name: string;
  label: string;
  value: string;
  error: string | undefined;
}): JSX.Element {
  return <TextField {...props} autocomplete="off" spellcheck={false} />;
}

function Others({ others }: Pick<ReplyFormState, 'others'>): JSX.Element | null {
  if (others.length === 0) return null;
  return (
    <>
      {others.map(({ name, savedAt }) => (
        <p class="alert">
          {name} also has a draft for this ticket, saved <Time at={savedAt} />.
        </p>
      ))}
    </>
  );
}

function Warnings({ state }: { state: ReplyFormState }): JSX.Element {
  const { changes, otherWindow } = state;
  return (
    <>
      {changes.length === 0 ? null : (
        <div class="flash warning" role="alert">
          <p>
            {state.isHeldBack === true
              ? 'Your reply was not sent: this ticket changed since you opened the page.'
              : 'This ticket changed since you began this draft.'}
          </p>
          <ul>
            {changes.map((sentence) => (
              <li>{sentence}</li>
            ))}
          </ul>
          {state.isHeldBack === true ? (
            <p>Read what is new, then send your reply as it is or change it.</p>
          ) : null}
        </div>
      )}
      {otherWindow === undefined ? null : (
        <div class="flash warning" role="alert">
          <p>
            You saved another version of this draft in a different window, <Time at={otherWindow.savedAt} />.
            The next button that you press replaces it with the version below.
          </p>
          <details>
            <summary>Show the other version</summary>
            <div class="mail-text">{otherWindow.text}</div>
          </details>
        </div>
      )}
    </>
  );
}

function Canned({ canned }: Pick<ReplyFormState, 'canned'>): JSX.Element | null {
  if (canned.length === 0) return null;
  return (
    <div class="beside">
      <SelectField
        name="canned"
        label="Canned reply"
        options={[
          { value: '', label: 'Choose one' },
          ...canned.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <Action value="insert">Insert</Action>
    </div>
  );
}

function Files(props: {
  draft: ReplyFormState['draft'];
  limit: AttachmentLimit;
  error: string | undefined;
}): JSX.Element {
  const { draft, limit, error } = props;
  return (
    <div class={error === undefined ? 'field files' : 'field files invalid'}>
      <label for="files">Attachments</label>
      <p class="hint" id="files-hint">
        {Math.round(limit.bytes / MB)} MB in all. Files can also be dropped or pasted into the message.
        {limit.advice === undefined ? null : ` ${limit.advice}`}
      </p>
      {error === undefined ? null : (
        <p class="error" id="files-error">
          {error}
        </p>
      )}
      {draft.attachments.length === 0 ? null : (
        <ul class="draft-files">
          {draft.attachments.map(({ id, filename, size }) => (
            <li>
              <span class="name" dir="auto">
                {filename}
              </span>{' '}
              <span class="size">{readableSize(size)}</span>{' '}
              <button
                type="submit"
                class="button secondary"
                name="action"
                value={`${DETACH}${id}`}
                aria-label={`Remove ${filename}`}
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="beside">
        <input
          type="file"
          id="files"
          name="files"
          multiple
          aria-describedby={error === undefined ? 'files-hint' : 'files-hint files-error'}
        />
        <Action value="attach">Attach</Action>
      </div>
    </div>
  );
}

/** Rendered by the server, with signature and quotation, as it will leave. */
function Preview({ state }: { state: ReplyFormState }): JSX.Element | null {
  const { preview, draft } = state;
  if (preview === undefined) return null;
  return (
    <section class="preview" id="preview" aria-label="Preview">
      <h3>Preview</h3>
      <Facts
        items={[
          { term: 'From', detail: preview.from },
          { term: 'To', detail: draft.to },
          ...(draft.cc === '' ? [] : [{ term: 'Cc', detail: draft.cc }]),
          ...(draft.bcc === '' ? [] : [{ term: 'Bcc', detail: draft.bcc }]),
          { term: 'Subject', detail: preview.subject },
        ]}
      />
      <div class="rendered" dir="auto">
        {raw(preview.html)}
      </div>
    </section>
  );
}
