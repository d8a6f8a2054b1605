import type { ReceivedAlert } from './alert-receiver.ts';
import type { DrillFault } from './drill-faults.ts';
import { type Glance, glanceAt, isCalm } from './home-page.ts';

/** What was observed of one fault. */
export interface DrillRecord {
  /** The alert of the fault; undefined: there was none. */
  opened: ReceivedAlert | undefined;
  /** Measured on the app's clock. */
  secondsToAlert: number | undefined;
  closed: boolean;
  /** Everything that the webhook received since the fault. */
  received: readonly ReceivedAlert[];
  /** Subjects of the emails since the fault. */
  mails: readonly string[];
  /** The home page while the alert was open, and after it had closed; undefined: not requested. */
  homeDuring: string | undefined;
  homeAfter: string | undefined;
  /** How often the reply that waited had arrived before the fix, and at the end. */
  replies: { before: number; after: number };
  /** Whether an email to the other mailbox became a ticket during the fault. */
  othersWentOn: boolean;
}

/** The expectations that were not met, in sentences. */
export function mistakesIn(fault: DrillFault, record: DrillRecord): string[] {
  const { opened } = record;
  if (opened === undefined) return ['No alert came.'];
  return [
    ...alertMistakes(fault, opened),
    ...timeMistakes(fault, record.secondsToAlert),
    ...othersThan(opened, record.received),
    ...mailMistakes(record),
    ...(record.homeDuring === undefined ? [] : glanceMistakes(opened, glanceAt(record.homeDuring))),
    ...(record.closed ? [] : ['The alert did not close.']),
    ...(record.homeAfter === undefined || isCalm(record.homeAfter)
      ? []
      : [`Once fixed, the home page still said: ${glanceAt(record.homeAfter).says}`]),
    ...(fault.holdsReply === true ? replyMistakes(record.replies) : []),
    ...(fault.othersGoOn && !record.othersWentOn
      ? ['The mailbox of the other provider was no longer fetched.']
      : []),
  ];
}

function alertMistakes(fault: DrillFault, { kind, code, cause, link }: ReceivedAlert): string[] {
  return [
    ...(kind === fault.kind ? [] : [`The alert is of kind ${kind}, not ${fault.kind}.`]),
    ...(code === fault.code ? [] : [`Its code is ${code}, not ${fault.code}.`]),
    ...(fault.cause.test(cause) ? [] : [`The cause is not named: ${cause}`]),
    ...(fault.link.test(link) ? [] : [`The link leads elsewhere: ${link}`]),
  ];
}

function replyMistakes({ before, after }: DrillRecord['replies']): string[] {
  if (before > 0) return ['The reply left although nothing could leave.'];
  return after === 1 ? [] : [`The reply that waited arrived ${after} times.`];
}

function timeMistakes({ withinMinutes }: DrillFault, seconds = Number.POSITIVE_INFINITY): string[] {
  return seconds <= withinMinutes * 60 ? [] : [`It came after ${seconds} s.`];
}

/** An alert about a different fault, or a second alert about the same one. */
function othersThan(opened: ReceivedAlert, received: readonly ReceivedAlert[]): string[] {
  return received
    .filter((one) => one.what === 'opened' && one !== opened)
    .map(({ kind, headline }) => `A second alert came: ${kind}: ${headline}`);
}

/** Email omits that a warning still exists, or no longer does. */
export const isMailed = ({ what, severity }: Pick<ReceivedAlert, 'what' | 'severity'>): boolean =>
  severity !== 'warning' || what === 'opened' || what === 'changed';

/** Everything else that the webhook received is also sent by email, and nothing more. */
function mailMistakes({ received, mails }: DrillRecord): string[] {
  const begins: Partial<Record<ReceivedAlert['what'], string>> = {
    repeated: 'Still active: ',
    closed: 'Resolved: ',
  };
  const expected = received
    .filter(isMailed)
    .map(({ what, headline }) => `[Postroom] ${begins[what] ?? ''}${headline}`);
  return [
    ...expected.filter((subject) => !mails.includes(subject)).map((subject) => `No mail came: ${subject}`),
    ...mails
      .filter((subject) => !expected.includes(subject))
      .map((subject) => `An email too many: ${subject}`),
  ];
}

function glanceMistakes({ headline, link }: ReceivedAlert, { says, leads }: Glance): string[] {
  const sentence = headline.replace(/\.$/, '');
  return [
    ...(says === sentence ? [] : [`The home page said: ${says}`]),
    ...(leads !== '' && link.endsWith(leads) ? [] : [`Its first link led to: ${leads}`]),
  ];
}
