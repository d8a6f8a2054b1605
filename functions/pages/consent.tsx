import { type Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { parseConnectForm } from '../../shared/consent/connect-form.ts';
import { CONSENT_MINUTES, consentCookie } from '../../shared/consent/consent.ts';
import { finishConsent } from '../../shared/consent/finish-consent.ts';
import { type FailedOutcome, outcomeCode, wordsFor } from '../../shared/consent/outcome-words.ts';
import { handoverOf, startConsent } from '../../shared/consent/start-consent.ts';
import type { Principal } from '../../shared/platform/principal.ts';
import { Secret } from '../../shared/platform/secret.ts';
import type { Provider } from '../../shared/providers/provider.ts';
import {
  ButtonLink,
  CheckboxField,
  ErrorSummary,
  type FieldErrors,
  RadioField,
  SubmitButton,
  TextField,
} from '../../shared/ui/forms.tsx';
import { Facts } from '../../shared/ui/lists.tsx';
import { type Flash, Page, renderPage } from '../../shared/ui/page.tsx';
import { requireRole } from '../guard.ts';
import type { WebEnvironment } from '../web-environment.ts';
import { flashOf, typedFields } from './typed-fields.ts';

const said: Readonly<Record<string, Flash>> = {
  saved: { kind: 'success', text: 'The provider is saved. Now connect a mailbox.' },
};

/** Which mailbox, the way to the provider, and the way back. */
export function consentPages(): Hono<WebEnvironment> {
  const pages = new Hono<WebEnvironment>();

  pages.get('/providers/:id/connect', requireRole('admin'), async (c) => {
    const provider = await c.get('services').providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    const mailbox = await mailboxOf(c, c.req.query('mailbox'));
    const account = mailbox && (await c.get('services').accounts.get(mailbox))?.account;
    const typed: Record<string, string> =
      mailbox === undefined
        ? { address: c.req.query('address') ?? '', who: 'self', ...allProtocols }
        : {
            address: mailbox.address,
            mailbox: mailbox.id,
            ...(account !== undefined && account.user.toLowerCase() !== mailbox.address.toLowerCase()
              ? { who: 'shared', signIn: account.user }
              : { who: 'self' }),
            ...allProtocols,
          };
    return c.html(connectPage(c.get('principal'), provider, typed, {}, flashOf(c, said)));
  });

  pages.post('/providers/:id/connect', requireRole('admin'), async (c) => {
    const services = c.get('services');
    const provider = await services.providers.get(c.req.param('id'));
    if (provider === undefined) return c.notFound();
    const typed = await typedFields(c);
    const parsed = parseConnectForm(typed);
    if (parsed.kind === 'invalid')
      return c.html(connectPage(c.get('principal'), provider, typed, parsed.errors), 422);
    const mailbox = await mailboxOf(c, typed['mailbox']);
    const reconnect = mailbox && { mailboxId: mailbox.id, accountId: mailbox.accountId };
    const wish = { ...parsed.wish, providerId: provider.id, reconnect };
    const { key, cookie } = await startConsent(services, wish, c.get('principal').id);
    // Lax: the way back is a top-level navigation from the provider, on which a Strict cookie would be missing.
    setCookie(c, consentCookie(key), cookie.expose(), {
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
      maxAge: CONSENT_MINUTES * 60,
    });
    return c.redirect(`/connect/${key}`, 303);
  });

  pages.get('/connect/:key', requireRole('admin'), async (c) => {
    const key = c.req.param('key');
    const principal = c.get('principal');
    const handover = await handoverOf(c.get('services'), key, {
      cookie: cookieOf(c, key),
      principalId: principal.id,
    });
    switch (handover.kind) {
      case 'address':
        return c.html(handoverPage(principal, handover.providerName, handover.wish.signIn, handover.url));
      case 'over':
        return c.html(overPage(principal), 410);
      case 'failed':
        return c.html(outcomePage(principal, handover), 502);
    }
  });

  pages.get('/oauth/callback', async (c) => {
    const services = c.get('services');
    // No role is asked for here: without a signed-in principal the cookie and the state still bind the answer.
    const principal: Principal | undefined = c.get('principal');
    const outcome = await finishConsent(services, {
      parameters: new URL(c.req.url).searchParams,
      cookieOf: (key) => cookieOf(c, key),
      principalId: principal?.id,
    });
    if (outcome.kind !== 'connected') return c.html(outcomePage(principal, outcome), 400);
    const { account, wish, missing } = outcome;
    services.accessTokens.forget(account);
    if (wish.reconnect !== undefined) {
      // What stopped the mailbox is repaired: it is fetched at the next minute, not at its next turn.
      await services.mailboxes.saveTrouble(wish.reconnect.mailboxId, undefined);
      return c.redirect('/mailboxes?said=reconnected', 303);
    }
    const said = missing.length === 0 ? 'connected' : 'connected-partly';
    return c.redirect(`/mailboxes/new?account=${account.providerId}.${account.accountId}&said=${said}`, 303);
  });

  return pages;
}

const allProtocols = { imap: 'on', pop3: 'on', smtp: 'on' };

function cookieOf(c: Context, key: string): Secret | undefined {
  const value = getCookie(c, consentCookie(key));
  return value === undefined ? undefined : new Secret(value);
}

async function mailboxOf(c: Context<WebEnvironment>, id: string | undefined) {
  if (id === undefined || !/^[a-z2-7]{26}$/.test(id)) return undefined;
  const mailbox = await c.get('services').mailboxes.get(id);
  return mailbox?.providerId === c.req.param('id') ? mailbox : undefined;
}

function connectPage(
  principal: Principal,
  provider: Provider,
  typed: Readonly<Record<string, string>>,
  errors: FieldErrors,
  flash?: Flash,
): string {
  const reconnects = typed['mailbox'] !== undefined && typed['mailbox'] !== '';
  return renderPage(
    <Page
      title={reconnects ? 'Connect the mailbox again' : 'Which mailbox?'}
      principal={principal}
      place={reconnects ? 'mailboxes' : 'providers'}
      hasErrors={Object.keys(errors).length > 0}
      flash={flash}
    >
      <ErrorSummary errors={errors} />
      <p>
        You sign in at {provider.name} next. Postroom sees no password; it is given permission to read and
        send mail, which can be taken back at any time.
      </p>
      <form method="post" action={`/providers/${provider.id}/connect`} novalidate>
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
              hint: 'It has a password or another way to sign in.',
            },
            {
              value: 'shared',
              label: 'Somebody with access to it',
              hint: 'A shared mailbox: it cannot sign in, but people may open it.',
            },
          ]}
        />
        <TextField
          name="signIn"
          label="Sign-in name, for a shared mailbox"
          hint="Leave this empty when the mailbox itself signs in."
          type="email"
          autocomplete="off"
          spellcheck={false}
          value={typed['signIn']}
          error={errors['signIn']}
        />
        <CheckboxField
          name="choose"
          label="Let me choose the account"
          hint="For a browser that is signed in with another account."
          checked={typed['choose'] === 'on'}
        />
        <details open={errors['imap'] !== undefined}>
          <summary>Advanced: permissions</summary>
          <input type="hidden" name="advanced" value="yes" />
          <CheckboxField
            name="imap"
            label="Read mail over IMAP"
            checked={typed['imap'] === 'on'}
            error={errors['imap']}
          />
          <CheckboxField name="pop3" label="Read mail over POP" checked={typed['pop3'] === 'on'} />
          <CheckboxField name="smtp" label="Send mail over SMTP" checked={typed['smtp'] === 'on'} />
        </details>
        <SubmitButton>Go to {provider.name}</SubmitButton>
      </form>
    </Page>,
  );
}

/** A page and no redirect: the page policy's `form-action` would stop a redirect to another site after a form. */
function handoverPage(principal: Principal, providerName: string, signIn: string, url: string): string {
  return renderPage(
    <Page title={`Going to ${providerName}`} principal={principal} place="providers" refreshTo={url}>
      <p>
        Sign in there as <strong>{signIn}</strong> and accept the permissions. You come back here by yourself.
      </p>
      <p>
        <ButtonLink href={url}>Go to {providerName}</ButtonLink>
      </p>
      <p>
        If {providerName} shows an error and does not send you back, the provider’s settings do not fit the
        app registration.
      </p>
    </Page>,
  );
}

function overPage(principal: Principal): string {
  return renderPage(
    <Page title="This sign-in is over" principal={principal} place="providers">
      <p>It was finished, it is more than ten minutes old, or it was started in another browser.</p>
      <p>
        <a href="/mailboxes">See the mailboxes</a> or <a href="/providers">start again from a provider</a>.
      </p>
    </Page>,
  );
}

function outcomePage(principal: Principal | undefined, outcome: FailedOutcome): string {
  const words = wordsFor(outcome);
  const code = outcomeCode(outcome);
  const wish = 'wish' in outcome ? outcome.wish : undefined;
  return renderPage(
    <Page title={words.title} principal={principal} place="providers">
      <p>{words.happened}</p>
      {words.said === undefined ? null : (
        <Facts
          items={[
            { term: 'The provider said', detail: words.said },
            ...(code === undefined ? [] : [{ term: 'Code', detail: code }]),
          ]}
        />
      )}
      <p>{words.next}</p>
      {wish === undefined ? (
        <p>
          <ButtonLink href="/providers">Go to the providers</ButtonLink>
        </p>
      ) : (
        <Retry outcome={outcome} wish={wish} />
      )}
    </Page>,
  );
}

function Retry(props: {
  outcome: FailedOutcome;
  wish: NonNullable<Extract<FailedOutcome, { wish: unknown }>['wish']>;
}): JSX.Element {
  const { outcome, wish } = props;
  const path = `/providers/${wish.providerId}/connect`;
  const query =
    wish.reconnect === undefined
      ? `address=${encodeURIComponent(wish.address)}`
      : `mailbox=${wish.reconnect.mailboxId}`;
  if (outcome.kind !== 'other-account')
    return (
      <p>
        <ButtonLink href={`${path}?${query}`}>Try again</ButtonLink>{' '}
        <ButtonLink href="/mailboxes" kind="secondary">
          See the mailboxes
        </ButtonLink>
      </p>
    );
  return (
    <>
      <form method="post" action={path}>
        <input type="hidden" name="address" value={wish.address} />
        <input type="hidden" name="who" value={wish.shared ? 'shared' : 'self'} />
        <input type="hidden" name="signIn" value={wish.signIn} />
        <input type="hidden" name="choose" value="on" />
        <input type="hidden" name="mailbox" value={wish.reconnect?.mailboxId ?? ''} />
        <SubmitButton>Try again with another account</SubmitButton>
      </form>
      {wish.reconnect === undefined ? (
        <form method="post" action={path}>
          <input type="hidden" name="address" value={wish.address} />
          <input type="hidden" name="who" value="shared" />
          <input type="hidden" name="signIn" value={outcome.signedIn} />
          <SubmitButton kind="secondary">This is a shared mailbox</SubmitButton>
        </form>
      ) : null}
    </>
  );
}
