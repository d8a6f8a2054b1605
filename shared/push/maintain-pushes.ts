import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { FetchState, MailboxStore } from '../mailboxes/mailbox-store.ts';
import { mapLimited } from '../platform/concurrency.ts';
import { log } from '../platform/log.ts';
import { isFromFuture } from '../platform/trusted-time.ts';
import { evidenceOf, settingsOf } from './decide-push.ts';
import { type MaintainDeps, maintainPush } from './maintain-push.ts';
import type { Push, Wake } from './subscription.ts';

/** Most mailboxes of one run; a thousand new ones are subscribed within 25 minutes. */
const MOST = 40;
const AT_ONCE = 4;
/** Graph's own limit for a request is shorter; no mailbox is started later. */
const TIME_BOX_MS = 8_000;

/**
 * Mailboxes whose push needs a step, those that waited longest first: new, changed or deleted mailboxes, and
 * those whose time has come. Pure.
 * @param announced until when each is looked at rarely, as stored
 */
export function duePushes(
  mailboxes: readonly Mailbox[],
  pushes: readonly Push[],
  announced: ReadonlyMap<string, string>,
  now: number,
): string[] {
  const known = new Map(pushes.map((push) => [push.mailboxId, push]));
  const existing = new Set(mailboxes.map(({ id }) => id));
  const isDue = (mailbox: Mailbox): boolean => {
    const push = known.get(mailbox.id);
    if (push === undefined) return true;
    const isLiving = push.state === 'living';
    const isHalfWritten = (announced.get(mailbox.id) !== undefined) !== isLiving;
    return (
      push.settings !== settingsOf(mailbox) ||
      Date.parse(push.nextAt) <= now ||
      isFromFuture(push.since, now) ||
      isHalfWritten
    );
  };
  const dueAt = (id: string): string => known.get(id)?.nextAt ?? '';
  const gone = pushes.map(({ mailboxId }) => mailboxId).filter((id) => !existing.has(id));
  return [...gone, ...mailboxes.filter(isDue).map(({ id }) => id)].toSorted((a, b) =>
    dueAt(a).localeCompare(dueAt(b)),
  );
}

/**
 * Each minute: judges the pushes by the latest email and events, and takes the steps that are due, each mailbox
 * independently.
 * @throws PostroomError if storage is unavailable
 */
export async function maintainPushes(
  deps: MaintainDeps & { mailboxes: Pick<MailboxStore, 'list' | 'fetchState' | 'get' | 'saveAnnounced'> },
): Promise<void> {
  const began = deps.seam.now();
  const [mailboxes, state, stored, wakes] = await Promise.all([
    deps.mailboxes.list(),
    deps.mailboxes.fetchState(),
    deps.push.all(),
    deps.push.wakes(),
  ]);
  const pushes = await Promise.all(stored.map((push) => judge(deps, push, state, wakes, began)));
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const due = duePushes(mailboxes, pushes, state.announced ?? new Map(), began);
  await mapLimited(due.slice(0, MOST), AT_ONCE, async (mailboxId) => {
    if (deps.seam.now() - began > TIME_BOX_MS) return;
    try {
      await maintainPush(deps, mailboxId, byId.get(mailboxId));
    } catch (error) {
      log.error('push not maintained', error, { mailbox: mailboxId });
    }
  });
}

/** Writes the row only if the evidence changes the state. */
async function judge(
  deps: MaintainDeps,
  push: Push,
  { cursors }: Pick<FetchState, 'cursors'>,
  wakes: ReadonlyMap<string, Wake>,
  now: number,
): Promise<Push> {
  const { mailboxId } = push;
  const evidence = evidenceOf(push, cursors.get(mailboxId)?.lastMailAt, wakes.get(mailboxId), now);
  const at = new Date(now).toISOString();
  if (evidence === 'none') return push;
  if (evidence === 'proven') {
    const { reason: _reason, code: _code, ...rest } = push;
    const proven: Push = { ...rest, state: 'living', since: at };
    await deps.push.save(proven);
    await deps.mailboxes.saveAnnounced(mailboxId, push.subscription?.expiresAt);
    log.info('push proven', { mailbox: mailboxId });
    return proven;
  }
  const silent: Push = {
    ...push,
    state: 'in-doubt',
    since: at,
    code: 'push-silent',
    reason: 'An email arrived, and Microsoft Graph did not announce it.',
    nextAt: at,
  };
  await deps.mailboxes.saveAnnounced(mailboxId, undefined);
  await deps.push.save(silent);
  log.warn('push silent', { mailbox: mailboxId });
  return silent;
}
