/** Who signs in for the mailboxes, whether that works, and how it went before. For admins. */
import { type AccountRef, hasEnded } from '../../../shared/accounts/account.ts';
import { failureOf, type SignInEvent } from '../../../shared/accounts/sign-in-history.ts';
import { redirectUriOf } from '../../../shared/consent/start-consent.ts';
import { explainProblem } from '../../../shared/explanations/explain.ts';
import type { Explanation } from '../../../shared/explanations/explanation.ts';
import { usesAccount } from '../../../shared/mailboxes/mailbox-logins.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { unreadableRows } from '../../../shared/platform/unreadable-rows.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { accountPage, accountsPage, type ShownAccount } from './account-views.tsx';
import { explainContext, saidBy } from '../errors/explain-context.ts';
import { recordChange } from '../../http/record-change.ts';
import { flashOf } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';

const said: Readonly<Record<string, Flash>> = {
  works: { kind: 'success', text: 'The provider has just given a fresh token: this sign-in works.' },
  retrying: { kind: 'warning', text: 'The provider gave no token just now. Postroom tries again by itself.' },
  ended: {
    kind: 'error',
    text: 'This sign-in has ended and its tokens are deleted: there is nothing left to ask with. What to do stands below.',
  },
  'needs-person': { kind: 'error', text: 'The provider refuses this sign-in. What to do stands below.' },
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
    ...(event.said !== undefined && { said: saidBy(config, provider, event.said) }),
  }));
  return c.html(accountPage(c.get('principal'), { ...shown, history: told, explanation }, flashOf(c, said)));
}

/** Asks the provider for a fresh token, also after a refusal: somebody may just have mended what it blamed. */
export async function checkAccount(c: PageContext): Promise<Response> {
  const { accounts, accessTokens } = c.get('services');
  const ref = refOf(c);
  const before = await accounts.get(ref);
  if (before === undefined) return c.notFound();
  if (hasEnded(before.account)) return c.redirect(paths.account(ref, { flash: 'ended' }), 303);
  // Before its tokens leave for the provider.
  await recordChange(c, {
    action: 'checked',
    subject: { kind: 'account', id: ref.accountId, name: before.account.user },
  });
  const answer = await accessTokens.renew(ref, { again: true });
  // A token may be the one at hand, which serves while a renewal fails in passing: the row says how this one went.
  const state = answer.kind === 'token' ? (await accounts.get(ref))?.account.state : answer.kind;
  return c.redirect(paths.account(ref, { flash: state ?? 'needs-person' }), 303);
}

const refOf = (c: PageContext): AccountRef => ({
  providerId: c.req.param('providerId') ?? '',
  accountId: c.req.param('accountId') ?? '',
});

/** What its last failure means, with the values of this installation filled in; undefined while it works. */
function explanationOf(
  c: PageContext,
  { account, provider }: ShownAccount,
  history: readonly SignInEvent[],
): Explanation | undefined {
  const { problem } = account;
  if (problem === undefined) return undefined;
  const [newest] = history;
  // The history names the ids for the support; an account that failed before there was one has its problem alone.
  const failure = failureOf(
    newest?.code === problem.code ? newest : { code: problem.code, said: problem.message },
  );
  const { config } = c.get('services');
  const redirectUri = redirectUriOf(config, provider);
  return explainProblem(
    failure,
    explainContext({ config, provider, account, mailbox: account.address, redirectUri }),
  );
}
