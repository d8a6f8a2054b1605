import { randomBytes } from 'node:crypto';
import type { Principal } from '../../../shared/platform/principal.ts';
import { base32 } from '../../../shared/providers/base32.ts';
import { changesSince, seenToken } from '../../../shared/replies/changes-since.ts';
import type { ReplyDraft } from '../../../shared/replies/reply-draft.ts';
import type { StoredReplyDraft } from '../../../shared/replies/reply-draft-store.ts';
import type { Services } from '../../services.ts';
import {
  attachmentLimit,
  composeDraft,
  messageToQuote,
  newDraft,
  type ReplyContext,
  replyProblem,
  ticketState,
} from '../../use-cases/reply-context.ts';
import type { ReplyFormState } from './reply-form.tsx';

/** What a request adds to the form that the stored draft gives. */
export interface PostedForm
  extends Partial<Pick<ReplyFormState, 'errors' | 'otherWindow' | 'isHeldBack' | 'changes'>> {
  /** Shown instead of the stored draft. */
  draft: Omit<ReplyDraft, 'savedAt'>;
  /** Of the stored draft that the next button replaces. */
  version: string;
}

type Known = Pick<Services, 'drafts' | 'cannedReplies' | 'tickets'>;

/** The form as the ticket page shows it: what was posted, the stored draft, or an empty one. */
export async function replyFormState(
  services: Known,
  context: ReplyContext,
  person: Principal,
  shown: { posted?: PostedForm | undefined; preview: boolean },
): Promise<ReplyFormState> {
  const { ticket } = context;
  const [all, canned, stored] = await Promise.all([
    services.drafts.ofTicket(ticket.id),
    services.cannedReplies.list(),
    shown.posted === undefined ? services.drafts.get(ticket.id, person.id) : undefined,
  ]);
  const { posted } = shown;
  const state = ticketState(context);
  const seen = seenToken(state);
  const before = posted?.draft ?? stored?.draft;
  const draft = before ?? newDraft(context, person, seen);
  const quoted = messageToQuote(context);
  return {
    draft: { ...draft, seen },
    version: posted?.version ?? versionOf(stored),
    replyId: base32(randomBytes(16)),
    errors: posted?.errors ?? {},
    changes: posted?.changes ?? (stored === undefined ? [] : (changesSince(stored.draft.seen, state) ?? [])),
    isHeldBack: posted?.isHeldBack === true,
    otherWindow: posted?.otherWindow,
    preview: shown.preview ? await previewOf(services, context, draft) : undefined,
    others: all
      .filter(({ personId }) => personId !== person.id)
      .map(({ personName, savedAt }) => ({ name: personName, savedAt })),
    canned,
    attachmentLimit: attachmentLimit(context),
    quotedFrom:
      quoted === undefined ? undefined : (quoted.from.name ?? quoted.from.address ?? 'an unknown sender'),
    problem: replyProblem(context),
  };
}

/** Identifies what a draft was when a form showed it. */
export const versionOf = (stored: StoredReplyDraft | undefined): string => stored?.draft.savedAt ?? '';

async function previewOf(
  services: Known,
  context: ReplyContext,
  draft: Omit<ReplyDraft, 'savedAt'>,
): Promise<ReplyFormState['preview']> {
  const { mailbox } = context;
  if (mailbox === undefined) return undefined;
  const composed = await composeDraft(services.tickets, context, draft);
  const name = mailbox.answers?.name;
  return {
    ...composed,
    // The page's policy allows no inline style; only the quotation has one, and it is ours.
    html: composed.html.replaceAll(/ style="[^"]*"/g, ''),
    from: name === undefined ? mailbox.address : `${name} <${mailbox.address}>`,
  };
}
