import type { JSX } from 'hono/jsx/jsx-runtime';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { ButtonLink } from '../../../shared/ui/forms.tsx';
import { EmptyState } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { FinishSetup, type Unfinished } from './finish-setup.tsx';
import type { AccountChoice } from './mailbox-accounts.ts';

/** Other ways to a new mailbox than a new sign-in. */
export interface Beginnings {
  unfinished: Unfinished;
  /** Accounts that may open another folder or a shared mailbox. */
  choices: readonly AccountChoice[];
}

/** Which of several providers the new mailbox belongs to. */
export function whichProviderPage(
  principal: Principal,
  providers: readonly Provider[],
  beginnings: Beginnings,
): string {
  return renderPage(
    <Page title="Connect a mailbox" principal={principal} place="mailboxes">
      <FinishSetup unfinished={beginnings.unfinished} isAdmin />
      <h2>Connect a new mailbox</h2>
      <p>Choose its provider.</p>
      <ul class="choices">
        {providers.map(({ id, name }) => (
          <li>
            <a href={paths.connect({ id })}>{name}</a>
          </li>
        ))}
      </ul>
      <SignedInAccounts choices={beginnings.choices} />
    </Page>,
  );
}

/** Existing accounts that can be used for another folder or a shared mailbox. */
export function SignedInAccounts(props: { choices: readonly AccountChoice[] }): JSX.Element | null {
  if (props.choices.length === 0) return null;
  return (
    <details>
      <summary>Use an account that is already signed in</summary>
      <p>For another folder of its mailbox, or for a shared mailbox that it can open.</p>
      <ul>
        {props.choices.map(({ value, label }) => (
          <li>
            <a href={paths.newMailbox({ account: value })}>{label}</a>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Shown while no provider is ready. */
export function noProviderPage(principal: Principal, drafts: readonly Provider[]): string {
  return renderPage(
    <Page title="Add a mailbox" principal={principal} place="mailboxes">
      <EmptyState title="No provider yet">
        <p>A mailbox signs in through a provider, such as your Microsoft 365 tenant.</p>
        {drafts.map(({ id, name }) => (
          <p>
            <a href={paths.provider({ id })}>Finish setting up {name}</a>
          </p>
        ))}
        <ButtonLink href={paths.newProvider()}>Add a provider</ButtonLink>
      </EmptyState>
    </Page>,
  );
}
