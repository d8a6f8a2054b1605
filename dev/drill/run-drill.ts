import { demoPeople } from '../host/options.ts';
import type { DrillFault } from './drill-faults.ts';
import { isMailed, mistakesIn } from './drill-mistakes.ts';
import { type DrillWorld, OTHER_MAILBOX, openDrillWorld } from './drill-world.ts';
import { glanceAt } from './home-page.ts';
import type { Camera } from './take-pictures.ts';

export interface DrillResult {
  fault: string;
  /** Kind of the alert; undefined: there was none. */
  alert: string | undefined;
  /** Of the explanation, such as AADSTS700082. */
  code: string | undefined;
  cause: string | undefined;
  link: string | undefined;
  /** First sentence of the home page while the alert was open. */
  home: string | undefined;
  /** Measured on the app's clock. */
  secondsToAlert: number | undefined;
  secondsToClose: number | undefined;
  /** Expectations that were not met, in sentences; empty if all were. */
  wrong: readonly string[];
}

/** Screenshots of the home page: during the fault, and after it. */
export interface DrillPictures {
  camera: Camera;
  /** Names of the two files; undefined: not this one. */
  during: string;
  after: string | undefined;
}

const WARM_UP_MINUTES = 5;
/** A fault lasts longer than a mailbox may be silent, so all other alerts have been sent by then. */
const STANDING_MINUTES = 17;
/** The minute of the fault in which the daily timers run. */
const DAILY_AT_MINUTE = 7;
/** Throttled mailboxes are not fetched for up to half an hour. */
const CLOSE_WITHIN_MINUTES = 40;
/** Minutes after the end during which more may be reported. */
const QUIET_MINUTES = 2;
/**
 * An email that could not be sent during the fault is retried on its own schedule, up to half an hour
 * later.
 */
const MAIL_WITHIN_MINUTES = 40;
const SUBJECT = 'The others go on';

/**
 * Injects one fault into a demo of its own, waits for the alert, fixes the fault, and waits until the end
 * is reported.
 */
export async function runDrill(
  appDir: string,
  fault: DrillFault,
  pictures?: DrillPictures,
): Promise<DrillResult> {
  await using running = new AsyncDisposableStack();
  const world = await openDrillWorld(appDir, running, fault);
  for (let minute = 1; minute <= WARM_UP_MINUTES; minute += 1) await world.minute({ daily: minute === 1 });
  const { received } = world.receiver;
  const wrong = received.map(
    ({ kind, headline }) => `Before the fault there was an alert: ${kind}: ${headline}`,
  );
  received.length = 0;
  const mailsBefore = (await world.mails()).length;

  const brokenAt = world.seconds();
  await fault.inject(world);
  await world.stack.mail.deliver(OTHER_MAILBOX, letter(), world.now());
  let secondsToAlert: number | undefined;
  let homeDuring: string | undefined;
  const opened = () => received.find(({ what }) => what === 'opened');
  for (let minute = 0; minute < STANDING_MINUTES; ) {
    const after = secondsToAlert === undefined ? 1 : (fault.everyMinutes ?? 1);
    const daily = minute < DAILY_AT_MINUTE && minute + after >= DAILY_AT_MINUTE;
    minute += after;
    await world.minute({ timers: fault.timers !== false, daily, after });
    if (opened() === undefined || secondsToAlert !== undefined) continue;
    secondsToAlert = world.seconds() - brokenAt;
    homeDuring = (await world.visitor.get('/')).html;
    if (pictures !== undefined) await takePicture(world, pictures.camera, pictures.during);
  }
  const alert = opened();
  const othersWentOn = fault.othersGoOn && (await world.visitor.get('/tickets')).html.includes(SUBJECT);

  const repliesBefore = fault.holdsReply === true ? await world.replies() : 0;
  if (alert !== undefined) await fault.fix(world, pathOf(alert.link));
  const fixedAt = world.seconds();
  const isClosed = () => received.some(({ what, key }) => what === 'closed' && key === alert?.key);
  const { closesWithinMinutes = CLOSE_WITHIN_MINUTES } = fault;
  for (let minute = 0; alert !== undefined && minute < closesWithinMinutes && !isClosed(); minute += 1)
    await world.minute();
  const secondsToClose = isClosed() ? world.seconds() - fixedAt : undefined;
  const homeAfter = isClosed() ? (await world.visitor.get('/')).html : undefined;
  if (pictures?.after !== undefined) await takePicture(world, pictures.camera, pictures.after);
  for (let minute = 0; minute < QUIET_MINUTES; minute += 1) await world.minute();
  const hasAllMail = async (): Promise<boolean> =>
    (await world.mails()).length - mailsBefore >= received.filter(isMailed).length;
  for (let minute = 0; minute < MAIL_WITHIN_MINUTES && !(await hasAllMail()); minute += 1)
    await world.minute();
  const replies = { before: repliesBefore, after: await repliesAtTheEnd(world, fault) };

  const mails = (await world.mails()).slice(mailsBefore);
  const closed = secondsToClose !== undefined;
  const record = { opened: alert, secondsToAlert, closed, received, mails, replies, homeDuring, homeAfter };
  const mistakes = [...wrong, ...mistakesIn(fault, { ...record, othersWentOn })];
  if (mistakes.length > 0) mistakes.push(...world.complaints().slice(-5));
  return {
    fault: fault.name,
    alert: alert?.kind,
    code: alert?.code ?? undefined,
    cause: alert?.cause,
    link: alert?.link,
    home: homeDuring === undefined ? undefined : glanceAt(homeDuring).says,
    secondsToAlert,
    secondsToClose,
    wrong: mistakes,
  };
}

/** Waits for the reply, and then as long as a second one would take to leave. */
async function repliesAtTheEnd(world: DrillWorld, { holdsReply }: DrillFault): Promise<number> {
  if (holdsReply !== true) return 0;
  for (let minute = 0; minute < MAIL_WITHIN_MINUTES && (await world.replies()) === 0; minute += 1)
    await world.minute();
  for (let minute = 0; minute < QUIET_MINUTES; minute += 1) await world.minute();
  return world.replies();
}

function pathOf(link: string): string {
  const { pathname, search } = new URL(link);
  return pathname + search;
}

const takePicture = ({ url, now }: DrillWorld, camera: Camera, name: string): Promise<void> =>
  camera.take(name, { origin: url, path: '/', person: demoPeople[0]?.id ?? '', now: now() });

const letter = (): Buffer =>
  Buffer.from(
    `From: Kim <kim@customer.example>\r\nTo: ${OTHER_MAILBOX}\r\nSubject: ${SUBJECT}\r\nMessage-ID: <drill@customer.example>\r\n\r\nHello\r\n`,
  );
