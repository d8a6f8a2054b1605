/** The accounts of all providers, their states and their history. For admins. */
import { type AccountRef, hasEnded } from '../../../shared/accounts/account.ts';
import { failureOf, type SignInEvent } from '../../../shared/accounts/sign-in-history.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { explainProblem } from '../../../shared/explanations/explain.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import { usesAccount } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf } from '../../http/form-data.ts';
import { recordChange } from '../../http/record-change.ts';
import type { PageContext } from '../../http/web-environment.ts';
import { explainContext, messageHere } from '../errors/explain-context.ts';
import { accountPage, accountsPage, type ShownAccount } from './account-views.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  ok: { kind: 'success', text: 'Token refreshed: this sign-in works.' },
  retrying: { kind: 'warning', text: 'The provider returned no token. Postroom retries automatically.' },
  ended: {
    kind: 'error',
    text: 'This sign-in has ended and its tokens were deleted. See below for what to do.',
  },
  'action-required': { kind: 'error', text: 'The provider refuses this sign-in. See below for what to do.' },
};

export async function showAccounts(c: PageContext): Promise<Response> {
  const { providers, accounts, mailboxes, tables } = c.get('services');
  const [known, boxes] = await Promise.all([providers.list(), mailboxes.list()]);
  const all = await Promise.all(
    known.map(async (provider) =>
      (await accounts.listOf(provider.id)).map((account) => ({
        account,
        provider,
        mailboxes: boxes.filter((mailbox) => usesAccount(mailbox, account)),
      })),
    ),
  );
  return c.html(accountsPage(c.get('principal'), all.flat(), unreadableRows(tables, 'Accounts')));
}

export async function showAccount(c: PageContext): Promise<Response> {
  const { config, providers, accounts, mailboxes } = c.get('services');
  const ref = refOf(c);
  const stored = await accounts.get(ref);
  if (stored === undefined) return c.notFound();
  const { account } = stored;
  const [provider, boxes, history] = await Promise.all([
    providers.get(ref.providerId),
    mailboxes.list(),
    accounts.history(ref),
  ]);
  const shown = { account, provider, mailboxes: boxes.filter((mailbox) => usesAccount(mailbox, account)) };
  const explanation = explanationOf(c, shown, history);
  const told = history.map((event) => ({
    ...event,
    ...(event.message !== undefined && { message: messageHere(config, provider, event.message) }),
  }));
  return c.html(
    accountPage(c.get('principal'), { ...shown, history: told, explanation }, flashOf(c, flashes)),
  );
}

/** Refreshes the token, also after a refusal: someone may just have fixed the cause. */
export async function checkAccount(c: PageContext): Promise<Response> {
  const { accounts, accessTokens } = c.get('services');
  const ref = refOf(c);
  const before = await accounts.get(ref);
  if (before === undefined) return c.notFound();
  if (hasEnded(before.account)) return c.redirect(paths.account(ref, { flash: 'ended' }), 303);
  // Before its tokens are sent to the provider.
  await recordChange(c, {
    action: 'checked',
    subject: { kind: 'account', id: ref.accountId, name: before.account.user },
  });
  const answer = await accessTokens.renew(ref, { again: true });
  // The answer may be the current token, which still serves while a refresh fails temporarily: the row has the result.
  const state = answer.kind === 'token' ? (await accounts.get(ref))?.account.state : answer.kind;
  return c.redirect(paths.account(ref, { flash: state ?? 'action-required' }), 303);
}

const refOf = (c: PageContext): AccountRef => ({
  providerId: c.req.param('providerId') ?? '',
  accountId: c.req.param('accountId') ?? '',
});

/** Explains the last failure with this installation's values; undefined while the account works. */
function explanationOf(
  c: PageContext,
  { account, provider }: ShownAccount,
  history: readonly SignInEvent[],
): Explanation | undefined {
  const { problem } = account;
  if (problem === undefined) return undefined;
  const [newest] = history;
  // The history has the ids for support; an account without a history has only its problem.
  const failure = failureOf(
    newest?.code === problem.code ? newest : { code: problem.code, message: problem.message },
  );
  const { config } = c.get('services');
  const redirectUri = redirectUriOf(config, provider);
  return explainProblem(
    failure,
    explainContext({ config, provider, account, mailbox: account.address, redirectUri }),
  );
}
