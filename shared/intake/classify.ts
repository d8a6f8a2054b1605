/** Determines the message class of an email from the parser's findings. Pure. */
import type { MessageClass } from '../message-class/message-class.ts';
import type { AutomaticMarks, ParsedMessage } from '../mime/parsed-message.ts';

/** The fields of an email that classification needs. */
export type Classified = Pick<ParsedMessage, 'from' | 'fromName' | 'subject' | 'text' | 'html' | 'automatic'>;

/** Of the text: a bounce describes the failure before it quotes anything. */
const READ_CHARACTERS = 3_000;
/** Of HTML, if there is no text: most of it is markup. */
const READ_HTML = 30_000;

/**
 * The message class of an email. Machines are recognized by their headers. Their words count only where older
 * mail servers write no such header, and then only if the sender is a machine, so that a person who quotes a
 * bounce stays a person.
 * @param mailboxAddress the mailbox that received it
 */
export function classify(mail: Classified, mailboxAddress: string): MessageClass {
  const { automatic } = mail;
  if (automatic.isPostroom === true && domainOf(mail.from?.address) === domainOf(mailboxAddress))
    return 'own';
  // RFC 5965 section 2: an abuse report of a mail provider.
  if (automatic.report?.kind === 'feedback') return 'complaint';
  if (isBounce(mail)) return 'bounce';
  if (isOutOfOffice(mail)) return 'out-of-office';
  if (isAutoReply(automatic)) return 'auto-reply';
  if (automatic.isListId === true || (automatic.listId !== undefined && !isAuto(automatic))) return 'list';
  // RFC 3834 section 5: any declared value other than `no` means that no person sent it.
  if (isAuto(automatic)) return 'notification';
  if (automatic.precedence !== undefined && bulk.has(automatic.precedence)) return 'list';
  return automatic.returnPathEmpty ? 'notification' : 'person';
}

const bulk = new Set(['bulk', 'list', 'junk']);

const isAuto = ({ autoSubmitted }: AutomaticMarks): boolean =>
  autoSubmitted !== undefined && autoSubmitted !== 'no';

const domainOf = (address: string | undefined): string | undefined =>
  address?.slice(address.lastIndexOf('@') + 1).toLowerCase();

// Bounces.

/** Sender addresses of delivery reports; no person has one of these. */
const daemon =
  /^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|postmast|mail(?:er)?[-_.]?delivery.*|mail[-_.]?administrator|system[-_.]?administrator|smtp(?:[-_.]?gateway)?|mmdf|uucp|bounces?|maildelivery.*|nobody)$/i;
const daemonName =
  /^(?:(?:"|')?(?:mail(?:er)?[ -]?(?:deliver|daemon|system|administrator|router)|postmaster|system administrator|internet mail (?:delivery|service)|delivery (?:subsystem|system)|mail system))/i;

const bounceSubject =
  /^(?:\[?\**\s*)?(?:undeliver(?:able|ed)|un(?:zustellbar|deliverable mail)|delivery (?:failure|failed|notification|status|report|error|has failed)|mail (?:delivery|system error|could not be delivered|undeliverable|error)|mail delivery|returned mail|failure notice|failed (?:mail|message|delivery)|failure to deliver|message (?:delivery|not delivered|undeliverable|status|could not)|non[- ]?delivery|non recapitabile|nondeliverable|undelivered|warning: (?:could not send|message)|returned to sender|rejected mail|mensaje no entregado|email (?:delivery|error)|bounced mail|permanent delivery failure|unable to deliver|your message (?:could not|was not)|user unknown|unknown user|error sending|nicht zustellbar|zustellung|mailing error|mail failed|processing error|remise|échec|impossible|dsn:|smtp mail failed|report:|status of|problems? delivering|cannot send|can't send|unzustellbare|notification d.état|transient|could not deliver|not deliverable|delayed mail)/i;

/** Opening words used by servers that write no header. */
const bounceWords = [
  // qmail: https://cr.yp.to/proto/qsbmf.txt, and its translations keep the name of the program.
  /^hi\. this is the\b/i,
  /\bqmail-send program at\b/i,
  // Lotus Domino.
  /\byour (?:message|document)\b[\s\S]{0,400}?\bwas not delivered to\b/i,
  // Exchange 5.5 and Exchange 2000.
  /\bdid not reach the following recipient/i,
  /\bthe following recipients? (?:could|cannot|did|has|have|were?)\b[\s\S]{0,40}?\b(?:reached|not|be)\b/i,
  // Novell GroupWise.
  /\bthe (?:attached file|message that you sent)\b[\s\S]{0,200}?\bundeliverable\b/i,
  /\bthe message that you sent was undeliverable\b/i,
  // sendmail, Exim, Postfix, smail, MMDF, and what the services of large providers say.
  /\bthe following addresses had (?:permanent|transient|delivery)/i,
  /\ba message that you sent could not be delivered\b/i,
  /\b(?:could|can) ?not be (?:delivered|reached)\b/i,
  /\b(?:un|not )deliver(?:able|ed)\b/i,
  /\bdelivery (?:of|to)\b[\s\S]{0,200}?\b(?:failed|has failed|aborted|attempts)\b/i,
  /\b(?:failed|unable|not able) to (?:deliver|be delivered)\b/i,
  /\bpermanent (?:fatal )?(?:error|failure)/i,
  /\b(?:user|recipient|mailbox|address|account|host)\b[\s\S]{0,80}?\b(?:unknown|not (?:found|known|exist)|does ?n.t exist|unavailable|disabled|over ?quota|is full|rejected)\b/i,
  /\b5\d\d[ -]5\.\d{1,3}\.\d{1,3}\b/,
  /\b(?:message|mail) (?:was )?returned\b/i,
  /\bundelivered\b|\bno such user\b|\bno valid recipients\b|\bhas been returned because\b/i,
];

function isBounce({ from, fromName, subject, text, html, automatic }: Classified): boolean {
  const { report, failedRecipients, returnPathEmpty } = automatic;
  if (report !== undefined) return report.kind === 'delivery' && !report.isSuccess;
  // Exim and others name the failed recipients in a header.
  if (failedRecipients === true) return true;
  const local = from?.address.slice(0, from.address.lastIndexOf('@')) ?? '';
  const isDaemon = daemon.test(local) || daemonName.test(fromName ?? from?.name ?? '');
  const isReturned = returnPathEmpty || (from === undefined && fromName === undefined);
  if (!isDaemon && !isReturned) return false;
  const beginning = (
    text.trim() === '' ? (html ?? '').slice(0, READ_HTML).replace(/<[^<>]*>/g, ' ') : text
  ).slice(0, READ_CHARACTERS);
  const words = bounceWords.some((pattern) => pattern.test(beginning.trimStart()));
  if (isDaemon) return words || bounceSubject.test(subject);
  return words && bounceSubject.test(subject);
}

// Automatic replies.

/**
 * How mail servers and providers begin the subject of an out-of-office reply, in the most common languages.
 */
const absenceSubject =
  /^(?:automatic reply:|out[- ]of[- ](?:the[- ])?office|ooo\b|vacation|away (?:from|until|till)|i am (?:away|on)|on (?:vacation|holiday|leave)|automatische antwort|abwesenheit|abwesend|réponse automatique|absence|absent|respuesta automática|fuera de (?:la )?oficina|risposta automatica|fuori (?:ufficio|sede)|assente|resposta automática|ausência|automatisch antwoord|afwezig|autosvar|automatiskt svar|frånvar|fravær|automatisk svar|automaattinen vastaus|poissa|odpowiedź automatyczna|autoodpowiedź|automatická odpověď|automatikus válasz|автоматический ответ|автоответ|автоматична відповідь|otomatik yanıt|自動応答|自動返信|自动答复|自动回复|自動回覆|자동 회신|자동 응답)/i;
/** Exchange 2003 and older, which write no other mark. */
const exchangeAbsence = /^(?:out of office autoreply|abwesenheitsnotiz):/i;
const absenceWords =
  /\b(?:out of (?:the )?office|on (?:vacation|holiday|annual leave|parental leave|sick leave)|(?:ich bin|bin ich)\b[^.]{0,60}\b(?:abwesend|nicht im (?:büro|haus)|im urlaub)|absent\(?e?\)? du bureau|en congés?|fuera de la oficina|de vacaciones|fuori ufficio|in ferie)\b/i;

function isOutOfOffice({ subject, text, automatic }: Classified): boolean {
  if (automatic.isVacation === true || exchangeAbsence.test(subject)) return true;
  if (!isAuto(automatic) && !isAutoReply(automatic) && !suppressesReplies(automatic)) return false;
  if (absenceSubject.test(subject)) return true;
  return isAutoReply(automatic) && absenceWords.test(text.slice(0, READ_CHARACTERS));
}

/** Marks that out-of-office replies have besides or instead of Auto-Submitted; alone they prove nothing. */
const suppressesReplies = ({ suppress, precedence, returnPathEmpty }: AutomaticMarks): boolean =>
  suppress !== undefined || returnPathEmpty || (precedence !== undefined && bulk.has(precedence));

function isAutoReply({ autoSubmitted, precedence, suppress, report }: AutomaticMarks): boolean {
  return (
    autoSubmitted === 'auto-replied' ||
    precedence === 'auto_reply' ||
    suppress?.startsWith('x-') === true ||
    // A read receipt, or a report of successful delivery.
    report?.kind === 'disposition' ||
    report?.isSuccess === true
  );
}
