import { canSignInAsApp } from '../../../shared/accounts/app-account.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import type { Preset } from '../../../shared/providers/presets.ts';
import { type Provider, waysOf } from '../../../shared/providers/provider.ts';
import { wayFields } from '../../../shared/providers/ways.ts';
import {
  ButtonLink,
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  RadioField,
  SubmitButton,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { type Flash, Page, renderPage } from '../../../shared/ui/page.tsx';
import { FinishSetup } from '../mailboxes/finish-setup.tsx';
import { type Beginnings, SignedInAccounts } from '../mailboxes/which-mailbox-view.tsx';
import { WayFields } from '../providers/way-fields.tsx';

/** The form's defaults: the mailbox signs in itself. @param ways absent: those of its provider */
export const connectFields = (provider: Provider, ways = waysOf(provider)): Record<string, string> => ({
  who: 'self',
  ...wayFields(ways),
});

/** Which mailbox, who signs in, and whether that person is here or gets a link. */
export function connectPage(view: {
  principal: Principal;
  provider: Provider;
  /** Undefined for a demo provider without the demo. */
  preset: Preset | undefined;
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
  flash?: Flash | undefined;
  /** Set when the page starts a new mailbox. */
  beginnings?: Beginnings | undefined;
}): string {
  const { provider, typed, errors, beginnings } = view;
  const reconnects = typed['mailbox'] !== undefined && typed['mailbox'] !== '';
  return renderPage(
    <Page
      title={reconnects ? 'Reconnect the mailbox' : 'Connect a mailbox'}
      principal={view.principal}
      place="mailboxes"
      hasErrors={Object.keys(errors).length > 0}
      flash={view.flash}
    >
      <ErrorSummary errors={errors} />
      {beginnings === undefined ? null : <FinishSetup unfinished={beginnings.unfinished} isAdmin />}
      <p>
        Sign in at {provider.name} with the mailbox’s account, not your own. Postroom never sees the password;
        it gets permission to read and send email, which you can revoke at any time.
      </p>
      <form method="post" action={paths.connect(provider)} novalidate data-keep="">
        {reconnects ? <input type="hidden" name="mailbox" value={typed['mailbox']} /> : null}
        <TextField
          name="address"
          label="Address of the mailbox"
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={typed['address']}
          error={errors['address']}
        />
        <RadioField
          name="who"
          legend="Who signs in?"
          value={typed['who'] ?? 'self'}
          options={[
            {
              value: 'self',
              label: 'The mailbox itself',
              hint: 'It has its own password.',
            },
            {
              value: 'shared',
              label: 'Another user (shared mailbox)',
              hint: (
                <>
                  A shared mailbox cannot sign in itself. A user with access signs in for it.{' '}
                  <a href={paths.sharedMailbox(provider)}>How to grant access</a>
                </>
              ),
            },
          ]}
        />
        <TextField
          name="signIn"
          label="Username (UPN), for a shared mailbox"
          hint="Leave this empty when the mailbox itself signs in."
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={typed['signIn']}
          error={errors['signIn']}
        />
        <CheckboxField
          name="choose"
          label="Show the account picker"
          hint="Use this if you are signed in with a different account."
          checked={typed['choose'] === 'on'}
        />
        {reconnects ? (
          <CheckboxField
            name="replacement"
            label="Allow a different account"
            hint="For an account that was deleted and re-created, or for a new colleague."
            checked={typed['replacement'] === 'on'}
          />
        ) : null}
        <WayFields preset={view.preset} typed={typed} error={errors['imap']} />
        <div class="actions">
          <SubmitButton>Go to {provider.name}</SubmitButton>
          <button type="submit" class="button secondary" formaction={paths.createInvitation(provider)}>
            Create a link for its owner
          </button>
        </div>
        <p class="muted small">
          With a link, the owner signs in on another computer and needs no access to Postroom.
        </p>
      </form>
      {canSignInAsApp(provider) && !reconnects ? (
        <p>
          <a href={paths.appAccess(provider)}>App-only access (no user sign-in)</a>: the app signs in itself,
          and an Exchange admin grants it access to individual mailboxes.
        </p>
      ) : null}
      {beginnings === undefined ? null : <SignedInAccounts choices={beginnings.choices} />}
    </Page>,
  );
}

/** A page and no redirect: the page policy's `form-action` would stop a redirect to another site after a form. */
export function redirectPage(view: {
  principal: Principal | undefined;
  providerName: string;
  signIn: string;
  url: string;
}): string {
  const { principal, providerName, signIn, url } = view;
  return renderPage(
    <Page title={`Going to ${providerName}`} principal={principal} place="providers" refreshTo={url}>
      <p>
        Sign in there as <strong>{signIn}</strong> and accept the permissions. You will return here
        automatically.
      </p>
      <p>
        <ButtonLink href={url}>Go to {providerName}</ButtonLink>
      </p>
      {principal === undefined ? (
        <p>
          If {providerName} shows an error and does not send you back, copy the whole page and send it to the
          person who invited you.
        </p>
      ) : (
        <p>
          If {providerName} shows an error and does not send you back, copy the whole page and{' '}
          <a href={paths.errorLookup()}>paste it here</a> to learn what it means.
        </p>
      )}
    </Page>,
  );
}

/** A sign-in that cannot be continued: it was used, has expired, or belongs to another browser. */
export function overPage(principal: Principal): string {
  return renderPage(
    <Page title="This sign-in is no longer valid" principal={principal} place="providers">
      <p>It was completed, it is more than ten minutes old, or it was started in another browser.</p>
      <p>
        <a href={paths.mailboxes()}>View mailboxes</a> or{' '}
        <a href={paths.providers()}>start again from a provider</a>.
      </p>
    </Page>,
  );
}
