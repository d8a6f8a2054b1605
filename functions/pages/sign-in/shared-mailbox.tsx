/** Access to a shared mailbox: the script that grants it, and a check whether it is granted. */
import type { JSX } from 'hono/jsx/jsx-runtime';
import type { Account } from '../../../shared/accounts/account.ts';
import { delegateAccessScript } from '../../../shared/accounts/delegate-access-script.ts';
import { isMicrosoftShaped } from '../../../shared/accounts/issuer-rules.ts';
import { isMailAddress } from '../../../shared/consent/connect-form.ts';
import { paths } from '../../../shared/paths/paths.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { isOfDemo, type Provider } from '../../../shared/providers/provider.ts';
import { CopyLines } from '../../../shared/ui/copy.tsx';
import {
  ButtonLink,
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  SelectField,
  SubmitButton,
  TextField,
} from '../../../shared/ui/forms.tsx';
import { Panel } from '../../../shared/ui/lists.tsx';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { formData } from '../../http/form-data.ts';
import type { PageContext, RouteContext } from '../../http/web-environment.ts';
import { choiceOf } from '../mailboxes/mailbox-accounts.ts';
import { mailboxOfAccount } from '../mailboxes/preview-mailbox.ts';
import { AccessCheck, type CheckedAccess, checkAccess } from './access-check.tsx';

const ADDRESS = 'Enter the address of the shared mailbox, for example info@example.org.';
const USER = 'Enter the user who signs in for it, for example sam@example.org.';

export async function showSharedMailbox(c: RouteContext<'sharedMailbox'>): Promise<Response> {
  const provider = await c.get('services').providers.get(c.req.param('id'));
  if (provider === undefined) return c.notFound();
  const typed = { address: c.req.query('address') ?? '', user: c.req.query('user') ?? '' };
  // A newly opened page shows no errors.
  const asked = typed.address !== '' || typed.user !== '';
  const errors = asked ? scriptErrors(typed) : {};
  return c.html(await sharedMailboxPage(c, provider, { typed, errors, tried: undefined }));
}

export async function tryRightsOnMailbox(c: RouteContext<'sharedMailbox'>): Promise<Response> {
  const services = c.get('services');
  const provider = await services.providers.get(c.req.param('id'));
  if (provider === undefined) return c.notFound();
  const typed = await formData(c);
  const accounts = await services.accounts.listOf(provider.id);
  const account = accounts.find(({ accountId }) => accountId === typed['account']);
  const address = (typed['address'] ?? '').trim();
  const filled = { address, user: account?.user ?? '', account: account?.accountId ?? '' };
  const mailbox =
    account && mailboxOfAccount(choiceOf(services.config, provider, account), address, services.seam.now());
  if (mailbox === undefined || !isMailAddress(address)) {
    const errors = isMailAddress(address)
      ? { account: 'Choose the user who signs in.' }
      : { address: ADDRESS };
    return c.html(await sharedMailboxPage(c, provider, { typed: filled, errors, tried: undefined }), 422);
  }
  const send = typed['send'] === 'on';
  const tried = await checkAccess(services, mailbox, send);
  const again = { ...filled, send: send ? 'on' : '' };
  return c.html(await sharedMailboxPage(c, provider, { typed: again, errors: {}, tried }));
}

function scriptErrors({ address, user }: { address: string; user: string }): FieldErrors {
  return {
    ...(isMailAddress(address.trim()) ? {} : { address: ADDRESS }),
    ...(isMailAddress(user.trim()) ? {} : { user: USER }),
  };
}

/** The demo's mail server has no Exchange admin who could run a script. */
const hasExchangeAdmin = (c: PageContext, provider: Provider): boolean =>
  isMicrosoftShaped(provider) && !isOfDemo(c.get('services').config, provider);

interface Shown {
  typed: Readonly<Record<string, string>>;
  errors: FieldErrors;
  tried: CheckedAccess | undefined;
}

async function sharedMailboxPage(c: PageContext, provider: Provider, shown: Shown): Promise<string> {
  const accounts = await c.get('services').accounts.listOf(provider.id);
  const people = accounts.filter(({ kind }) => kind !== 'app');
  const principal: Principal = c.get('principal');
  const { typed, errors } = shown;
  const microsoft = hasExchangeAdmin(c, provider);
  return renderPage(
    <Page
      title="Grant access to a shared mailbox"
      principal={principal}
      place="providers"
      hasErrors={Object.keys(errors).length > 0}
    >
      <ErrorSummary errors={errors} />
      <p>
        A shared mailbox cannot sign in itself. A user with access signs in, and Postroom opens the shared
        mailbox as that user.
      </p>
      {microsoft ? <GiveRight provider={provider} shown={shown} /> : null}
      {microsoft ? (
        <Panel title="Or use app-only access">
          <p>
            Postroom can also open the mailbox without a user sign-in, so it keeps working when passwords
            change or people leave. An Exchange admin registers the app with the object ID of the{' '}
            <strong>enterprise application</strong>. The app registration has a different object ID, which
            does not work here.
          </p>
          <ButtonLink href={paths.appAccess(provider, { address: typed['address'] ?? '' })} kind="secondary">
            Set up app-only access
          </ButtonLink>
        </Panel>
      ) : null}
      <Panel title="Check access">
        {people.length === 0 ? (
          <p>
            No one has signed in at {provider.name} yet. Connect the shared mailbox and sign in as a user with
            access; Postroom then checks whether it opens.
          </p>
        ) : (
          <TryRight provider={provider} people={people} shown={shown} asked={microsoft} />
        )}
        <ButtonLink href={paths.connect(provider, { address: typed['address'] ?? '' })} kind="secondary">
          Connect a mailbox
        </ButtonLink>
      </Panel>
    </Page>,
  );
}

function GiveRight(props: { provider: Provider; shown: Shown }): JSX.Element {
  const { provider, shown } = props;
  const { typed, errors } = shown;
  const [address, user] = [(typed['address'] ?? '').trim(), (typed['user'] ?? '').trim()];
  const ready = isMailAddress(address) && isMailAddress(user);
  return (
    <Panel title="Grant access to a user">
      <form method="get" action={paths.sharedMailbox(provider)} novalidate>
        <TextField
          name="address"
          label="Address of the shared mailbox"
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={address}
          error={errors['address']}
        />
        <TextField
          name="user"
          label="Who signs in for it"
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={user}
          error={errors['user']}
        />
        <SubmitButton kind={ready ? 'secondary' : 'primary'}>Show the script</SubmitButton>
      </form>
      {ready ? (
        <>
          <p>An Exchange admin runs this once in PowerShell:</p>
          <CopyLines
            label="PowerShell for the Exchange admin"
            value={delegateAccessScript({ cloud: provider.cloud, tenant: provider.tenant, address, user })}
          />
          <p>
            Or by hand: Exchange admin center, Mailboxes, the shared mailbox, Delegation: add {user} under
            “Read and manage” and under “Send as”. This takes a few minutes; for sending, up to an hour.
          </p>
        </>
      ) : null}
    </Panel>
  );
}

function TryRight(props: {
  provider: Provider;
  people: readonly Account[];
  shown: Shown;
  /** True where the form above asks for the address already. */
  asked: boolean;
}): JSX.Element {
  const { provider, people, shown } = props;
  const { typed, errors, tried } = shown;
  return (
    <>
      {tried === undefined ? null : <AccessCheck tried={tried} typed={typed} />}
      <form method="post" action={paths.sharedMailbox(provider)} novalidate>
        {props.asked ? (
          <input type="hidden" name="address" value={typed['address']} />
        ) : (
          <TextField
            name="address"
            label="Address of the shared mailbox"
            type="email"
            autocomplete="off"
            spellcheck={false}
            value={typed['address']}
            error={errors['address']}
          />
        )}
        <SelectField
          name="account"
          label="Signed in as"
          value={typed['account']}
          options={people.map(({ accountId, user }) => ({ value: accountId, label: user }))}
          error={errors['account']}
        />
        <CheckboxField
          name="send"
          label="Also send a test email from the mailbox to itself: only this verifies “Send as”"
          checked={typed['send'] === 'on'}
        />
        <SubmitButton>Test now</SubmitButton>
      </form>
    </>
  );
}
