import { paths, platformPaths } from '../../../shared/paths/paths.ts';
import type { Principal, Role } from '../../../shared/platform/principal.ts';
import { Page, renderPage } from '../../../shared/ui/page.tsx';

/** The platform's sign-in is off, so every page refuses. */
export function signInOffPage(): string {
  return renderPage(
    <Page title="Sign-in is not turned on">
      <p>Postroom shows no pages until people can sign in. Email is still fetched and stored.</p>
      <p>
        To turn it on, an Azure administrator opens the Function App, chooses Authentication and adds
        Microsoft as the identity provider. The setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS must name the tenant
        whose users may sign in.
      </p>
    </Page>,
  );
}

/** Signed in at another identity provider or tenant, whose roles and ids mean nothing here. */
export function foreignPrincipalPage(): string {
  return renderPage(
    <Page title="This sign-in is from another organization">
      <p>
        Postroom accepts only users of its own Microsoft 365 organization. You are signed in with an account
        of a different organization.
      </p>
      <p>
        <a href={platformPaths.signOut()}>Sign out, and sign in with your work account</a>
      </p>
      <p>
        For the Azure administrator: the setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS lists the allowed tenants,
        and Microsoft must be the only identity provider.
      </p>
    </Page>,
  );
}

/** Signed in, but without the role. */
export function roleMissingPage(principal: Principal | undefined, role?: Role): string {
  const needed = role === 'admin' ? 'the role admin' : 'the role admin or agent';
  return renderPage(
    <Page title="You don’t have access to this page" principal={principal}>
      <p>
        {principal === undefined
          ? `This page needs ${needed}.`
          : `You are signed in as ${principal.name}. This page needs ${needed}.`}
      </p>
      <p>
        Ask an administrator of your Microsoft 365 organization to give you the role: Microsoft Entra admin
        center, Enterprise applications, Postroom, Users and groups.
      </p>
      <p>
        <a href={platformPaths.signOut()}>Sign in with a different account</a>
      </p>
    </Page>,
  );
}

/** No page has this address. */
export function notFoundPage(principal: Principal | undefined): string {
  return renderPage(
    <Page title="Page not found" principal={principal}>
      <p>The address may be mistyped, or the item was deleted.</p>
      <p>
        <a href={paths.home()}>Go to the home page</a>
      </p>
    </Page>,
  );
}

/** A form from another site, or from a page that was opened under another address. */
export function otherSitePage(): string {
  return renderPage(
    <Page title="This request came from another site">
      <p>Postroom accepts changes only from its own pages. Nothing was changed.</p>
      <p>
        <a href={paths.home()}>Open Postroom</a> and try again there.
      </p>
    </Page>,
  );
}

/** The body is larger than any of our forms. */
export function tooLargePage(): string {
  return renderPage(
    <Page title="This form is too large">
      <p>A form can contain up to 1 MB. Nothing was changed. Go back, shorten the text, and send it again.</p>
    </Page>,
  );
}

/** The body is not a form. */
export function malformedPage(): string {
  return renderPage(
    <Page title="This form could not be read">
      <p>The request did not contain a form. Nothing was changed.</p>
      <p>
        <a href={paths.home()}>Open Postroom</a> and send the form again from its page.
      </p>
    </Page>,
  );
}

/** An unexpected error; `reference` finds it in the log. */
export function brokenPage(reference: string): string {
  return renderPage(
    <Page title="Something went wrong">
      <p>Postroom could not show this page. No mail is lost: it stays in the mailbox until it is stored.</p>
      <p>
        Try again in a minute. If it happens again, give your administrator this reference:{' '}
        <strong>{reference}</strong>
      </p>
    </Page>,
  );
}
