/** The buttons of the reply form, and of the replies that were sent. For agents. */
import { isEnvelopeAddress } from '../../../shared/outbox/outgoing-mail.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { fillCannedReply } from '../../../shared/replies/canned-reply.ts';
import { changesSince } from '../../../shared/replies/changes-since.ts';
import { checkAttachment, type ReplyAttachment } from '../../../shared/replies/reply-attachments.ts';
import { draftProblem, type ReplyDraft } from '../../../shared/replies/reply-draft.ts';
import { parseRecipients } from '../../../shared/replies/reply-recipients.ts';
import { templateValues } from '../../../shared/templates/template-values.ts';
import { fileResponse } from '../../http/file-download.ts';
import { formData } from '../../http/form-data.ts';
import { type UploadData, uploadData } from '../../http/upload-data.ts';
import {
  attachmentLimit,
  type ReplyContext,
  readReplyContext,
  replyProblem,
  ticketState,
} from '../../use-cases/reply-context.ts';
import { editAgain, sendReply, undoReply } from '../../use-cases/send-reply.ts';
import type { MailContext } from '../tickets/mail-services.ts';
import { ownId } from '../tickets/message-files.ts';
import { ticketPage } from '../tickets/ticket-page.tsx';
import { type PostedForm, versionOf } from './form-state.ts';
import { DETACH } from './reply-form.tsx';
import { sentAnchor } from './sent-message.tsx';

const sendActions = { send: undefined, 'send-close': 'closed', 'send-wait': 'waiting' } as const;
const isSendAction = (action: string): action is keyof typeof sendActions =>
  Object.hasOwn(sendActions, action);

/** For a browser that asks again for a page with corrections: the form is on the ticket. */
export function showReply(c: MailContext): Response | Promise<Response> {
  const id = ownId(c, 'id');
  return id === undefined ? c.notFound() : c.redirect(`${paths.ticket({ id })}#reply`, 303);
}

/** Any button of the form. What was typed and chosen is saved first, so that nothing is lost. */
export async function postReply(c: MailContext): Promise<Response> {
  const { seam, outbox, drafts } = c.get('services');
  const person = c.get('principal');
  const id = ownId(c, 'id');
  if (id === undefined) return c.notFound();
  const { fields, files } = await uploadData(c);
  // After the upload, which may take minutes: what changed meanwhile counts.
  const context = await readReplyContext(c.get('services'), id);
  if (context === undefined) return c.notFound();
  const { ticket } = context;
  const action = fields['action'] ?? '';
  const replyId = /^[a-z2-7]{26}$/.exec(fields['reply'] ?? '')?.[0];
  if (replyId === undefined) return c.notFound();
  // Pressed twice: the first request has sent it.
  if ((await outbox.get({ ticketId: ticket.id, id: replyId })) !== undefined)
    return c.redirect(`${paths.ticket(ticket)}#${sentAnchor(replyId)}`, 303);
  const stored = await drafts.get(ticket.id, person.id);
  if (action === 'discard') {
    // After a crash, the draft of a reply that leaves may still be there: its attachments stay.
    const isShared = stored?.draft.attachments.some((file) => isInOutbox(context, file)) === true;
    await drafts[isShared ? 'sent' : 'discard'](ticket.id, person.id);
    return c.redirect(`${paths.ticket(ticket, { flash: 'discarded' })}#reply`, 303);
  }
  const typed = typedDraft(context, fields, stored?.draft.attachments ?? [], person);
  const refuse = (status: 409 | 422, form: Omit<PostedForm, 'draft' | 'version'>, version: string) =>
    ticketPage(c, ticket.id, { posted: { draft: typed, version, ...form }, status });
  if (stored !== undefined && stored.draft.savedAt !== fields['version'])
    return refuse(409, { otherWindow: stored.draft }, versionOf(stored));
  const tooLong = draftProblem(typed);
  if (tooLong !== undefined) return refuse(422, { errors: { text: tooLong } }, versionOf(stored));

  const errors: Record<string, string> = {};
  const detached = action.startsWith(DETACH) ? action.slice(DETACH.length) : undefined;
  const gone = typed.attachments.filter((file) => file.id === detached);
  typed.attachments = typed.attachments.filter((file) => file.id !== detached);
  await attachFiles(c, context, typed, files, errors);
  if (action === 'insert') typed.text = await withCannedReply(c, context, typed.text, fields['canned'] ?? '');
  const savedAt = new Date(seam.now()).toISOString();
  const saved = await drafts.save({ ...typed, savedAt }, stored?.etag);
  if (saved.kind === 'changed')
    return refuse(409, { otherWindow: saved.current?.draft }, versionOf(saved.current));
  await drafts.detach(gone.filter((file) => !isInOutbox(context, file)));
  if (Object.keys(errors).length > 0) return refuse(422, { errors }, savedAt);
  if (!isSendAction(action)) {
    const query =
      action === 'preview' ? { preview: 'on' } : action === 'save' ? { flash: 'draft-saved' } : {};
    return c.redirect(`${paths.ticket(ticket, query)}#${action === 'preview' ? 'preview' : 'reply'}`, 303);
  }
  const changes = changesSince(typed.seen, ticketState(context)) ?? [
    'The page is of an earlier version of Postroom.',
  ];
  if (changes.length > 0) return refuse(409, { changes, isHeldBack: true }, savedAt);
  const read = readRecipients(typed);
  const problems = { ...read.errors, ...contentProblem(context, typed) };
  if (Object.keys(problems).length > 0) return refuse(422, { errors: problems }, savedAt);
  const problem = replyProblem(context);
  const outcome =
    problem !== undefined
      ? ({ kind: 'refused', problem } as const)
      : await sendReply(c.get('services'), context, {
          id: replyId,
          draft: { ...typed, savedAt },
          ...read.recipients,
          status: sendActions[action],
          by: person,
        });
  if (outcome.kind === 'refused') return refuse(422, { errors: { to: outcome.problem } }, savedAt);
  return c.redirect(`${paths.ticket(ticket, { flash: 'sent' })}#${sentAnchor(replyId)}`, 303);
}

/** What the script saves now and then. Answers with the version that the form is then based on. */
export async function saveDraft(c: MailContext): Promise<Response> {
  const { seam, outbox, drafts } = c.get('services');
  const person = c.get('principal');
  const id = ownId(c, 'id');
  const context = id === undefined ? undefined : await readReplyContext(c.get('services'), id);
  if (context === undefined) return c.notFound();
  const fields = await formData(c);
  const replyId = /^[a-z2-7]{26}$/.exec(fields['reply'] ?? '')?.[0] ?? 'x';
  const ref = { ticketId: context.ticket.id, id: replyId };
  const stored = await drafts.get(ref.ticketId, person.id);
  const typed = typedDraft(context, fields, stored?.draft.attachments ?? [], person);
  const isOutdated = (stored?.draft.savedAt ?? '') !== fields['version'];
  if (isOutdated || (await outbox.get(ref)) !== undefined) return c.text('changed elsewhere', 409);
  const problem = draftProblem(typed);
  if (problem !== undefined) return c.text(problem, 422);
  const savedAt = new Date(seam.now()).toISOString();
  const saved = await drafts.save({ ...typed, savedAt }, stored?.etag);
  return saved.kind === 'saved' ? c.text(savedAt) : c.text('changed elsewhere', 409);
}

export async function undoSentReply(c: MailContext): Promise<Response> {
  const found = await sentOf(c);
  if (found === undefined) return c.notFound();
  const { context, ref } = found;
  const outcome = await undoReply(c.get('services'), ref, c.get('principal'));
  if (outcome === 'missing') return c.notFound();
  const anchor = outcome === 'undone' ? 'reply' : sentAnchor(ref.id);
  return c.redirect(`${paths.ticket(context.ticket, { flash: outcome })}#${anchor}`, 303);
}

/** Copies a reply that did not arrive into the draft: the server refused it, or it bounced. */
export async function editSentReply(c: MailContext): Promise<Response> {
  const found = await sentOf(c);
  if (found === undefined) return c.notFound();
  const { context, ref } = found;
  const { status } = found.message.delivery;
  const hasLeft = status.state === 'sent';
  // Any other could still leave: the recipient would get both.
  if (!hasLeft && (status.state !== 'failed' || status.isOfWayOut))
    return c.redirect(paths.ticket(context.ticket), 303);
  await editAgain(c.get('services'), ref, c.get('principal'));
  const flash = hasLeft ? 'copied-sent' : 'copied';
  return c.redirect(`${paths.ticket(context.ticket, { flash })}#reply`, 303);
}

export async function retrySentReply(c: MailContext): Promise<Response> {
  const found = await sentOf(c);
  if (found === undefined) return c.notFound();
  const { context, ref } = found;
  const outcome = await c.get('services').outbox.sendAgain(ref);
  const query = outcome === 'queued' ? { flash: 'retried' } : {};
  return c.redirect(`${paths.ticket(context.ticket, query)}#${sentAnchor(ref.id)}`, 303);
}

export async function downloadSentAttachment(c: MailContext): Promise<Response> {
  const found = await sentOf(c);
  const attachment = found?.message.attachments[Number(c.req.param('index'))];
  const bytes = attachment && (await c.get('services').blobs.stream(attachment.blob));
  return attachment === undefined || bytes === undefined ? c.notFound() : fileResponse(c, bytes, attachment);
}

async function sentOf(c: MailContext) {
  const id = ownId(c, 'id');
  const message = /^[a-z0-9]{1,32}$/.exec(c.req.param('message') ?? '')?.[0];
  if (id === undefined || message === undefined) return undefined;
  const ref = { ticketId: id, id: message };
  const [context, stored] = await Promise.all([
    readReplyContext(c.get('services'), id),
    c.get('services').outbox.get(ref),
  ]);
  return context === undefined || stored === undefined ? undefined : { context, ref, message: stored.record };
}

const isInOutbox = ({ sent }: ReplyContext, { blob }: ReplyAttachment): boolean =>
  sent.some(({ attachments }) => attachments.some((file) => file.blob === blob));

type TypedDraft = Omit<ReplyDraft, 'savedAt' | 'attachments'> & { attachments: readonly ReplyAttachment[] };

function typedDraft(
  { ticket }: ReplyContext,
  fields: UploadData['fields'],
  attachments: readonly ReplyAttachment[],
  person: { id: string; name: string },
): TypedDraft {
  const field = (name: string): string => (fields[name] ?? '').replace(/\r\n?/g, '\n');
  return {
    ticketId: ticket.id,
    personId: person.id,
    personName: person.name,
    to: field('to').trim(),
    cc: field('cc').trim(),
    bcc: field('bcc').trim(),
    text: field('text'),
    quotes: field('quotes') !== '',
    attachments,
    seen: field('seen').slice(0, 10_000),
  };
}

async function attachFiles(
  c: MailContext,
  context: ReplyContext,
  draft: TypedDraft,
  files: readonly File[],
  errors: Record<string, string>,
): Promise<void> {
  for (const file of files) {
    const { name: filename, type: contentType, size } = file;
    const check = checkAttachment(
      { filename, contentType, size },
      draft.attachments,
      attachmentLimit(context).bytes,
    );
    if (check.kind === 'refused') {
      errors['files'] = [errors['files'], check.message].filter(Boolean).join(' ');
      continue;
    }
    const { kind: _, ...named } = check;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const attached = await c.get('services').drafts.attach(draft, { ...named, size }, bytes);
    draft.attachments = [...draft.attachments, attached];
  }
}

/** The text with a canned reply below it. */
async function withCannedReply(
  c: MailContext,
  { ticket, mailbox }: ReplyContext,
  text: string,
  cannedId: string,
): Promise<string> {
  const canned = /^[\w-]{1,64}$/.test(cannedId)
    ? await c.get('services').cannedReplies.get(cannedId)
    : undefined;
  if (canned === undefined || mailbox === undefined) return text;
  const filled = fillCannedReply(canned, templateValues({ ticket, mailbox }));
  return text.trim() === '' ? filled : `${text.trimEnd()}\n\n${filled}`;
}

function readRecipients(draft: Pick<ReplyDraft, 'to' | 'cc' | 'bcc'>) {
  const errors: Record<string, string> = {};
  const read = (name: 'to' | 'cc' | 'bcc'): readonly string[] => {
    const parsed = parseRecipients(draft[name], isEnvelopeAddress);
    if (parsed.kind === 'valid') return parsed.addresses;
    errors[name] = `${wrongInWords(parsed.wrong)} Separate addresses with commas.`;
    return [];
  };
  const recipients = { to: read('to'), cc: read('cc'), bcc: read('bcc') };
  if (errors['to'] === undefined && recipients.to.length === 0)
    errors['to'] = 'Enter at least one recipient.';
  return { errors, recipients };
}

const wrongInWords = ([first = '', ...others]: readonly string[]): string =>
  others.length === 0
    ? `${first} is not an email address.`
    : `These are not email addresses: ${[first, ...others].slice(0, 3).join(', ')}.`;

/** The way out may be another one than when the files were attached. */
function contentProblem(
  context: ReplyContext,
  { text, attachments }: Pick<ReplyDraft, 'text' | 'attachments'>,
): Record<string, string> {
  const { bytes, advice } = attachmentLimit(context);
  if (attachments.reduce((sum, { size }) => sum + size, 0) > bytes) {
    const most = `This mailbox sends attachments of at most ${Math.round(bytes / 1024 / 1024)} MB in all. Remove some.`;
    return { files: [most, advice].filter(Boolean).join(' ') };
  }
  return text.trim() === '' && attachments.length === 0 ? { text: 'Write a message.' } : {};
}
