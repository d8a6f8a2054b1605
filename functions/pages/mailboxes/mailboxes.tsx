/** Mailboxes: list, add, edit, pause, resume, delete. */
import { randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { refusalFindings } from '../../../shared/alerts/refusal-findings.ts';
import { runConnectionTest } from '../../../shared/connection-test/run-connection-test.ts';
import { createReconciliationStore } from '../../../shared/intake/reconciliation-records.ts';
import { countFirstFetch, type FirstFetchCount } from '../../../shared/mailboxes/count-first-fetch.ts';
import { isAboutToBegin } from '../../../shared/mailboxes/first-fetch.ts';
import { type Mailbox, twinOf } from '../../../shared/mailboxes/mailbox.ts';
import type { MailboxAuthor } from '../../../shared/mailboxes/mailbox-entry.ts';
import { healthOf } from '../../../shared/mailboxes/mailbox-store.ts';
import { recordUnsavedUse, saveMailbox } from '../../../shared/mailboxes/save-mailbox.ts';
import { switchFetching } from '../../../shared/mailboxes/switch-fetching.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import { base32 } from '../../../shared/providers/base32.ts';
import { presetNamed } from '../../../shared/providers/presets.ts';
import type { Push } from '../../../shared/push/subscription.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { deleteMailbox } from '../../use-cases/delete-mailbox.ts';
import { healthHere } from '../errors/explain-context.ts';
import { connectFields, connectPage } from '../sign-in/connect-views.tsx';
import { explainContextsOf } from './connection-test.tsx';
import { UnsavedTest } from './connection-test-view.tsx';
import { readUnfinished } from './finish-setup.tsx';
import { graphOfferFor } from './graph-offer.tsx';
import {
  type AccountChoice,
  accountChoices,
  accountLabel,
  fieldsOf,
  proposedFields,
  readMailboxForm,
} from './mailbox-accounts.ts';
import { mailboxFormPage } from './mailbox-form-view.tsx';
import { deleteMailboxPage, mailboxListPage } from './mailbox-views.tsx';
import { noProviderPage, whichProviderPage } from './which-mailbox-view.tsx';

const flashes: Readonly<Record<string, Flash>> = {
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
  deleted: { kind: 'success', text: 'Mailbox deleted. Its tickets and unimported email are kept.' },
};

export async function showMailboxes(c: PageContext): Promise<Response> {
  const { config, mailboxes, providers } = c.get('services');
  const [all, state, known, checked] = await Promise.all([
    mailboxes.list(),
    mailboxes.fetchState(),
    providers.list(),
    createReconciliationStore(c.get('services').tables).all(),
  ]);
  const health = new Map(all.map((mailbox) => [mailbox.id, healthOf(mailbox, state)]));
  const sorted = all.toSorted((a, b) => a.address.localeCompare(b.address));
  const flash = openedFlash(c) ?? flashOf(c, flashes);
  return c.html(
    mailboxListPage({
      principal: c.get('principal'),
      mailboxes: sorted,
      health: healthHere(config, all, health, known),
      refusals: refusalFindings({ mailboxes: all, state }),
      offers: new Map(
        all.flatMap((mailbox) => {
          const provider = known.find(({ id }) => id === mailbox.providerId);
          const offer = graphOfferFor(config, provider, mailbox, state.failing.get(mailbox.id));
          return offer === undefined ? [] : [[mailbox.id, offer]];
        }),
      ),
      ...checked,
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
  return c.html(await formPage(c, undefined, choices, proposedFields(chosen), {}));
}

export async function createMailbox(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const typed = await formData(c);
  const choices = await accountChoices(services);
  const parsed = await readMailboxForm(services, typed, choices, undefined);
  if (parsed.kind === 'invalid')
    return c.html(await formPage(c, undefined, choices, typed, parsed.errors), 422);
  const id = base32(randomBytes(16));
  const createdAt = new Date(services.seam.now()).toISOString();
  const mailbox = { ...parsed.settings, id, enabled: true, createdAt };
  if (twinOf(mailbox, await services.mailboxes.list()) !== undefined)
    return c.html(
      await formPage(c, undefined, choices, typed, {
        address: 'This mailbox already exists. Edit it instead.',
      }),
      422,
    );
  return testOrSave(c, mailbox, undefined, choices, typed);
}

export async function showMailboxForm(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const { cursors } = await c.get('services').mailboxes.fetchState();
  const push = await c.get('services').push.push.find(mailbox.id);
  const asksFirst = isAboutToBegin(cursors.get(mailbox.id)?.first);
  const choices = await accountChoices(c.get('services'));
  return c.html(await formPage(c, mailbox, choices, fieldsOf(mailbox, choices), {}, { asksFirst, push }));
}

export async function changeMailbox(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  const typed = await formData(c);
  const choices = await accountChoices(services);
  const parsed = await readMailboxForm(services, typed, choices, mailbox);
  if (parsed.kind === 'invalid')
    return c.html(await formPage(c, mailbox, choices, typed, parsed.errors), 422);
  const changed = { ...mailbox, ...parsed.settings };
  const twin = twinOf(changed, await services.mailboxes.list());
  // Two equal mailboxes may have been created at the same moment; either can still be edited.
  if (twin !== undefined && twinOf(mailbox, [twin]) === undefined)
    return c.html(
      await formPage(c, mailbox, choices, typed, {
        address: `Another mailbox already uses the folder “${twin.folder}” of this address. Edit that one instead.`,
      }),
      422,
    );
  return testOrSave(c, changed, mailbox, choices, typed);
}

export async function showMailboxDeletion(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  return mailbox === undefined ? c.notFound() : c.html(deleteMailboxPage(c.get('principal'), mailbox));
}

export async function confirmMailboxDeletion(c: PageContext): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox !== undefined)
    await deleteMailbox(c.get('services'), mailbox, authorOf(c, await accountChoices(c.get('services'))));
  return c.redirect(paths.mailboxes({ flash: 'deleted' }), 303);
}
export const pauseMailbox = (c: PageContext): Promise<Response> => pauseOrResume(c, false);
export const resumeMailbox = (c: PageContext): Promise<Response> => pauseOrResume(c, true);

async function pauseOrResume(c: PageContext, enabled: boolean): Promise<Response> {
  const mailbox = await mailboxOf(c);
  if (mailbox === undefined) return c.notFound();
  await switchFetching(c.get('services'), mailbox, enabled, c.get('principal'));
  return c.redirect(paths.mailboxes({ flash: enabled ? 'resumed' : 'paused' }), 303);
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
  return connectPage({
    principal,
    provider,
    preset: presetNamed(provider.preset, services.config, provider.cloud),
    typed: connectFields(provider),
    errors: {},
    beginnings,
  });
}

/** "Test" and "Save" of the form. */
async function testOrSave(
  c: PageContext,
  mailbox: Mailbox,
  before: Mailbox | undefined,
  choices: readonly AccountChoice[],
  typed: Readonly<Record<string, string>>,
): Promise<Response> {
  const services = c.get('services');
  const draft = { mailbox, before, ...authorOf(c, choices) };
  if (typed['test'] === 'yes') {
    await recordUnsavedUse(services, draft, 'tested');
    return c.html(await testedPage(c, mailbox, before, choices, typed));
  }
  if (typed['count'] === 'yes') {
    await recordUnsavedUse(services, draft, 'opened');
    const count = await countFirstFetch(services.intake, mailbox);
    return c.html(await formPage(c, before, choices, typed, {}, { count, asksFirst: true }));
  }
  const saved = await saveMailbox(
    { ...services, open: (one) => services.verifyMailbox(services.intake, one) },
    draft,
    { evenIfNotOpened: typed['anyway'] === 'yes' },
  );
  if (saved.kind === 'not-opened')
    return c.html(
      await formPage(c, before, choices, typed, {}, { unopened: saved.message, asksFirst: 'first' in typed }),
      422,
    );
  const { opened } = saved;
  const isAsked = !mailbox.enabled && opened.kind === 'opened' && (opened.first ?? 0) > 0;
  if (opened.kind === 'failed') return c.redirect(paths.mailboxes({ flash: 'unopened' }), 303);
  if (before === undefined || isAsked) return c.redirect(paths.mailboxConnected(mailbox), 303);
  return c.redirect(paths.mailboxes({ flash: 'opened', unread: opened.unread, total: opened.total }), 303);
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
  return formPage(c, before, choices, typed, {}, { tested });
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

/** The audit log names accounts as the form lists them. */
export const authorOf = (c: PageContext, choices: readonly AccountChoice[]): MailboxAuthor => ({
  by: c.get('principal'),
  accountName: accountLabel(choices),
});

/** The mailbox of the path; undefined if there is none. */
export async function mailboxOf(c: PageContext): Promise<Mailbox | undefined> {
  const id = c.req.param('id') ?? '';
  return /^[a-z2-7]{26}$/.test(id) ? c.get('services').mailboxes.get(id) : undefined;
}

async function formPage(
  c: PageContext,
  mailbox: Mailbox | undefined,
  choices: readonly AccountChoice[],
  typed: Readonly<Record<string, string>>,
  errors: Readonly<Record<string, string>>,
  more: {
    unopened?: string;
    count?: FirstFetchCount;
    asksFirst?: boolean;
    push?: Push | undefined;
    tested?: JSX.Element;
  } = {},
): Promise<string> {
  const flash = mailbox === undefined ? flashOf(c, flashes) : undefined;
  const { unopened, count, asksFirst = 'first' in typed, push, tested } = more;
  const principal = c.get('principal');
  const { relay } = await c.get('services').channelSecrets.read();
  return mailboxFormPage({
    principal,
    mailbox,
    choices,
    relay: relay.kind,
    typed,
    errors,
    unopened,
    flash,
    count,
    asksFirst,
    push,
    tested,
  });
}
