/** Mailboxes: list, add, edit, pause, resume, delete. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Context } from 'hono';
import type { AuditSubject, Settings } from '../../../shared/audit/audit.ts';
import { runConnectionTest } from '../../../shared/connection-test/run-connection-test.ts';
import { type Mailbox, type MailLogin, twinOf } from '../../../shared/mailboxes/mailbox.ts';
import { loginsOf } from '../../../shared/mailboxes/mailbox-logins.ts';
import { healthOf } from '../../../shared/mailboxes/mailbox-store.ts';
import { refusalFindings } from '../../../shared/alerts/refusal-findings.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { base32 } from '../../../shared/providers/base32.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import type { PageContext } from '../../http/web-environment.ts';
import { connectPage, emptyConnectForm } from '../sign-in/connect-views.tsx';
import { explainContextsOf } from './connection-test.tsx';
import { UnsavedTest } from './connection-test-view.tsx';
import {
  type AccountChoice,
  accountChoices,
  fieldsOf,
  proposedFields,
  readMailboxForm,
} from './mailbox-accounts.ts';
import { healthHere } from '../errors/explain-context.ts';
import { mailboxFormPage } from './mailbox-form-view.tsx';
import { deleteMailboxPage, mailboxListPage } from './mailbox-views.tsx';
import { readUnfinished } from './finish-setup.tsx';
import { recordChange } from '../../http/record-change.ts';
import { flashOf, formData } from '../../http/form-data.ts';
import { noProviderPage, whichProviderPage } from './which-mailbox-view.tsx';

const said: Readonly<Record<string, Flash>> = {
  connected: { kind: 'success', text: 'Signed in. Check the settings and save.' },
  'connected-partly': {
    kind: 'warning',
    text: 'Signed in, but not every permission was granted: reading or sending may not work. Ask an administrator to grant the rest, then connect again.',
  },
  reconnected: { kind: 'success', text: 'Mailbox reconnected. Fetching resumes within a minute.' },
  unopened: {
    kind: 'warning',
    text: 'Mailbox saved, but it could not be opened. Postroom keeps retrying.',
  },
  paused: { kind: 'success', text: 'Mailbox paused. New email stays in the mailbox.' },
  resumed: { kind: 'success', text: 'Mailbox resumed. Fetching starts within a minute.' },
  deleted: { kind: 'success', text: 'Mailbox deleted. Its tickets and quarantined email are kept.' },
};

export async function showMailboxes(c: PageContext): Promise<Response> {
  const { config, mailboxes, providers } = c.get('services');
  const [all, state, known] = await Promise.all([mailboxes.list(), mailboxes.fetchState(), providers.list()]);
  const health = new Map(all.map((mailbox) => [mailbox.id, healthOf(mailbox, state)]));
  const sorted = all.toSorted((a, b) => a.address.localeCompare(b.address));
  const flash = openedFlash(c) ?? flashOf(c, said);
  return c.html(
    mailboxListPage({
      principal: c.get('principal'),
      mailboxes: sorted,
      health: healthHere(config, all, health, known),
      refusals: refusalFindings({ mailboxes: all, state }),
      hasProvider: known.length > 0,
      unfinished: await readUnfinished(c.get('services'), all),
      unreadable: unreadableRows(c.get('services').tables, 'Mailboxes'),
      flash,
    }),
  );
}

export async function showNewMailbox(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const choices = await accountChoices(services);
  const chosen = choices.find(({ value }) => value === c.req.query('account'));
  if (chosen === undefined) return c.html(await whichMailboxPage(c, choices));
  return c.html(formPage(c, undefined, choices, proposedFields(chosen), {}));
}

export async function createMailbox(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const typed = await formData(c);
  const choices = await accountChoices(services);
  const parsed = readMailboxForm(services, typed, choices);
  if (parsed.kind === 'invalid') return c.html(formPage(c, undefined, choices, typed, parsed.errors), 422);
  const id = base32(randomBytes(16));
  const createdAt = new Date(services.seam.now()).toISOString();
  const mailbox = { ...parsed.settings, id, enabled: true, createdAt };
  if (twinOf(mailbox, await services.mailboxes.list()) !== undefined)
    return c.html(
      formPage(c, undefined, choices, typed, {
        address: 'This mailbox already exists. Edit it instead.',
      }),
      422,
    );
  return openAndSave(c, mailbox, undefined, choices, typed);
}

export async function showMailboxForm(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  return c.html(formPage(c, mailbox, await accountChoices(c.get('services')), fieldsOf(mailbox), {}));
}

export async function changeMailbox(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const typed = await formData(c);
  const choices = await accountChoices(services);
  const parsed = readMailboxForm(services, typed, choices);
  if (parsed.kind === 'invalid') return c.html(formPage(c, mailbox, choices, typed, parsed.errors), 422);
  const changed = { ...mailbox, ...parsed.settings };
  const twin = twinOf(changed, await services.mailboxes.list());
  // Two equal mailboxes may have been created at the same moment; either can still be edited.
  if (twin !== undefined && twinOf(mailbox, [twin]) === undefined)
    return c.html(
      formPage(c, mailbox, choices, typed, {
        address: `Another mailbox already uses the folder “${twin.folder}” of this address. Edit that one instead.`,
      }),
      422,
    );
  return openAndSave(c, changed, mailbox, choices, typed);
}

export async function showMailboxDeletion(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  return mailbox === undefined ? c.notFound() : c.html(deleteMailboxPage(c.get('principal'), mailbox));
}

export async function deleteMailbox(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox !== undefined) {
    await c.get('services').mailboxes.remove(mailbox.id);
    await c.get('services').connectionTests.remove(mailbox.id);
    await recordChange(c, {
      action: 'deleted',
      subject: subjectOf(mailbox),
      before: settingsOf(mailbox, await accountChoices(c.get('services'))),
    });
  }
  return c.redirect(paths.mailboxes({ said: 'deleted' }), 303);
}
export const pauseMailbox = (c: PageContext): Promise<Response> => switchFetching(c, false);
export const resumeMailbox = (c: PageContext): Promise<Response> => switchFetching(c, true);

async function switchFetching(c: PageContext, enabled: boolean): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  await c.get('services').mailboxes.save({ ...mailbox, enabled });
  const action = enabled ? 'resumed' : 'paused';
  await recordChange(c, { action, subject: subjectOf(mailbox) });
  return c.redirect(paths.mailboxes({ said: action }), 303);
}

/** The first page of a new mailbox: the only provider's form, or the choice among several. */
async function whichMailboxPage(c: PageContext, choices: readonly AccountChoice[]): Promise<string> {
  const services = c.get('services');
  const principal = c.get('principal');
  const [providers, mailboxes] = await Promise.all([services.providers.list(), services.mailboxes.list()]);
  const ready = providers.filter(({ state }) => state !== 'draft');
  const [provider, second] = ready;
  if (provider === undefined) return noProviderPage(principal, providers);
  const beginnings = { unfinished: await readUnfinished(services, mailboxes), choices };
  if (second !== undefined) return whichProviderPage(principal, ready, beginnings);
  return connectPage({ principal, provider, typed: emptyConnectForm, errors: {}, beginnings });
}

/** A mailbox is opened before it counts as connected. A person may save one that does not open. */
async function openAndSave(
  c: PageContext,
  mailbox: Mailbox,
  before: Mailbox | undefined,
  choices: readonly AccountChoice[],
  typed: Readonly<Record<string, string>>,
): Promise<Response> {
  const services = c.get('services');
  await recordTry(c, mailbox, before, choices, typed['test'] === 'yes' ? 'tested' : 'opened');
  if (typed['test'] === 'yes') return c.html(await testedPage(c, mailbox, before, choices, typed));
  const opened = await services.verifyMailbox(services.intake, mailbox);
  if (opened.kind === 'failed' && typed['anyway'] !== 'yes')
    return c.html(formPage(c, before, choices, typed, {}, opened.message), 422);
  await services.mailboxes.save(mailbox);
  await recordChange(c, {
    action: before === undefined ? 'created' : 'changed',
    subject: subjectOf(mailbox),
    ...(before !== undefined && { before: settingsOf(before, choices) }),
    after: settingsOf(mailbox, choices),
  });
  if (opened.kind === 'failed') return c.redirect(paths.mailboxes({ said: 'unopened' }), 303);
  if (before === undefined) return c.redirect(paths.mailboxConnected(mailbox), 303);
  return c.redirect(paths.mailboxes({ said: 'opened', unread: opened.unread, total: opened.total }), 303);
}

/**
 * A token is about to be sent to a server, or for an account, that is not saved. The audit log is written first,
 * whatever becomes of the form.
 */
async function recordTry(
  c: PageContext,
  mailbox: Mailbox,
  before: Mailbox | undefined,
  choices: readonly AccountChoice[],
  what: 'tested' | 'opened',
): Promise<void> {
  if (before !== undefined && isDeepStrictEqual(loginsOf(mailbox), loginsOf(before))) return;
  await recordChange(c, {
    action: `${what} before it was saved`,
    subject: subjectOf(mailbox),
    after: settingsOf(mailbox, choices),
  });
}

/** The form with the result of its test above it. Nothing is saved, and no email is sent. */
async function testedPage(
  c: PageContext,
  mailbox: Mailbox,
  before: Mailbox | undefined,
  choices: readonly AccountChoice[],
  typed: Readonly<Record<string, string>>,
): Promise<string> {
  const services = c.get('services');
  const tests = await runConnectionTest(services, mailbox, { toOneself: false });
  const contextOf = await explainContextsOf(services, mailbox);
  const tested = <UnsavedTest tests={tests} contextOf={contextOf} />;
  return mailboxFormPage({
    principal: c.get('principal'),
    mailbox: before,
    choices,
    typed,
    errors: {},
    unopened: undefined,
    flash: undefined,
    tested,
  });
}

function openedFlash(c: Context): Flash | undefined {
  const [unread, total] = [Number(c.req.query('unread')), Number(c.req.query('total'))];
  if (c.req.query('flash') !== 'opened' || !Number.isInteger(unread) || !Number.isInteger(total))
    return undefined;
  return {
    kind: 'success',
    text: `Mailbox opened. ${unread} unread of ${total} messages in the folder. The first tickets appear within a minute.`,
  };
}

const subjectOf = ({ id, address }: Mailbox): AuditSubject => ({ kind: 'mailbox', id, name: address });

/** A mailbox in the audit log, with the labels of its form. */
function settingsOf(mailbox: Mailbox, choices: readonly AccountChoice[]): Settings {
  const { pop3, sending, afterFetch } = mailbox;
  const server = (login: MailLogin | undefined): string | undefined => login && `${login.host}:${login.port}`;
  const account = (login: MailLogin | undefined): string | undefined => {
    const id = login && `${login.providerId}.${login.accountId}`;
    // An account that is gone has no name any more.
    return choices.find(({ value }) => value === id)?.label ?? id;
  };
  return {
    address: mailbox.address,
    account: account(mailbox),
    'IMAP server': server(mailbox),
    folder: mailbox.folder,
    'after fetching': afterFetch.kind === 'move' ? `move to ${afterFetch.folder}` : afterFetch.kind,
    'minutes between fetches': mailbox.intervalMinutes,
    'account that sends': account(sending),
    'SMTP server': server(sending),
    'account for POP3': account(pop3),
    'POP3 server': server(pop3),
  };
}

async function mailboxOf(c: PageContext): Promise<Mailbox | undefined> {
  const id = c.req.param('id') ?? '';
  return /^[a-z2-7]{26}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}

function formPage(
  c: PageContext,
  mailbox: Mailbox | undefined,
  choices: readonly AccountChoice[],
  typed: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>>,
  unopened?: string,
): string {
  const flash = mailbox === undefined ? flashOf(c, said) : undefined;
  return mailboxFormPage({ principal: c.get('principal'), mailbox, choices, typed, errors, unopened, flash });
}
