/** How a mailbox answers: its acknowledgement with a preview, its replies, and the agents who are emailed. For admins. */
import {
  type Acknowledgement,
  composeAcknowledgement,
  sampleTicket,
} from '../../../shared/acknowledgements/compose-acknowledgement.ts';
import {
  fieldsOfAnswers,
  parseAnswerForm,
  withDefaultTemplate,
} from '../../../shared/mailboxes/answer-settings.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { saveAnswers } from '../../../shared/mailboxes/save-answers.ts';
import { isEnvelopeAddress } from '../../../shared/outbox/outgoing-mail.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { TemplateFacts } from '../../../shared/templates/template-values.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { type AnswerPreview, answersPage, previewTicketField } from './answers-view.tsx';
import { accountChoices } from './mailbox-accounts.ts';
import { authorOf, mailboxOf } from './mailboxes.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  saved: { kind: 'success', text: 'Answers saved.' },
};

export async function showAnswers(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const typed = fieldsOfAnswers(mailbox.answers);
  const preview = await previewOf(c, mailbox, '');
  return c.html(page(c, mailbox, { typed, errors: {}, preview, flash: flashOf(c, flashes) }));
}

/** "Save" and "Preview". */
export async function changeAnswers(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const typed = withDefaultTemplate(await formData(c));
  const parsed = parseAnswerForm(typed, { isMailAddress: isEnvelopeAddress });
  if (parsed.kind === 'invalid')
    return c.html(
      page(c, mailbox, { typed, errors: parsed.errors, preview: undefined, flash: undefined }),
      422,
    );
  if (typed['preview'] === 'yes') {
    const shown = { ...mailbox, answers: parsed.answers };
    const preview = await previewOf(c, shown, typed[previewTicketField] ?? '');
    const errors =
      preview === 'no-ticket' ? { [previewTicketField]: 'This mailbox has no ticket with this number.' } : {};
    return c.html(
      page(c, mailbox, { typed, errors, preview, flash: undefined }),
      preview === 'no-ticket' ? 422 : 200,
    );
  }
  await saveAnswers(services, authorOf(c, await accountChoices(services)), mailbox, parsed.answers);
  return c.redirect(paths.mailboxAnswers(mailbox, { flash: 'saved' }), 303);
}

const page = (
  c: PageContext,
  mailbox: Mailbox,
  view: {
    typed: Readonly<Record<string, string>>;
    errors: Readonly<Record<string, string>>;
    preview: AnswerPreview | 'no-ticket' | undefined;
    flash: Flash | undefined;
  },
): string =>
  answersPage({
    ...view,
    principal: c.get('principal'),
    mailbox,
    preview: view.preview === 'no-ticket' ? undefined : view.preview,
  });

/** @param number as typed; empty: a sample */
async function previewOf(
  c: PageContext,
  mailbox: Mailbox,
  number: string,
): Promise<AnswerPreview | 'no-ticket' | undefined> {
  const acknowledgement = mailbox.answers?.acknowledgement;
  if (acknowledgement === undefined) return undefined;
  const ticket = number.trim() === '' ? sampleTicket : await ticketNumbered(c, mailbox, number);
  if (ticket === undefined) return 'no-ticket';
  const composed: Acknowledgement = await composeAcknowledgement(
    acknowledgement,
    { ticket, mailbox },
    { messageId: undefined },
  );
  return { ...composed, to: ticket.requester.address, isSample: ticket === sampleTicket };
}

async function ticketNumbered(
  c: PageContext,
  mailbox: Mailbox,
  typed: string,
): Promise<TemplateFacts['ticket'] | undefined> {
  const { tickets } = c.get('services');
  const [, digits] = /^\s*#?([1-9]\d{0,8})\s*$/.exec(typed) ?? [];
  const id = digits === undefined ? undefined : await tickets.byNumber(Number(digits));
  const found = id === undefined ? undefined : await tickets.conversation(id, { limit: 1 });
  return found?.ticket.mailboxId === mailbox.id ? found.ticket : undefined;
}
