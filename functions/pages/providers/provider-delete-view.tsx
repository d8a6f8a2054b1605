import type { Account } from '../../../shared/accounts/account.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { ButtonLink, ErrorSummary, SubmitButton, TextField } from '../../../shared/ui/forms.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';

/** Lists the mailboxes that stop, and asks for the provider’s name as confirmation. */
export function deleteProviderPage(view: {
  principal: Principal;
  provider: Provider;
  mailboxes: readonly Mailbox[];
  accounts: readonly Account[];
  error: string | undefined;
}): string {
  const { provider, mailboxes, accounts, error } = view;
  return renderPage(
    <Page
      title={`Delete ${provider.name}?`}
      principal={view.principal}
      place="providers"
      hasErrors={error !== undefined}
    >
      <ErrorSummary errors={error === undefined ? {} : { name: error }} />
      {mailboxes.length === 0 ? (
        <p>No mailbox uses it.</p>
      ) : (
        <>
          <p>These mailboxes stop until they are connected through another provider:</p>
          <ul>
            {mailboxes.map(({ address }) => (
              <li>{address}</li>
            ))}
          </ul>
        </>
      )}
      {accounts.length === 0 ? null : (
        <p>Deleted with it: the sign-in of {accounts.map(({ user }) => user).join(', ')}.</p>
      )}
      <p>
        Its credentials are deleted from Key Vault (recoverable for a limited time). Tickets and email are
        kept. The app registration at the provider is kept too; delete it there if nothing else uses it.
      </p>
      <form method="post" action={paths.deleteProvider(provider)} autocomplete="off">
        <TextField
          name="name"
          label={`Type ${provider.name} to delete it`}
          error={error}
          spellcheck={false}
          autocomplete="off"
        />
        <div class="actions">
          <SubmitButton kind="danger">Delete provider</SubmitButton>
          <ButtonLink href={paths.provider(provider)} kind="secondary">
            Cancel
          </ButtonLink>
        </div>
      </form>
    </Page>,
  );
}
