import { paths, platformPaths } from '../../../shared/paths/paths.ts';
import type { Principal, Role } from '../../../shared/platform/principal.ts';
import { Page, renderPage } from '../../../shared/ui/page.tsx';

/** The platform's sign-in is off: nobody can be trusted, so nobody is let in. */
export function signInOffPage(): string {
  return renderPage(
    <Page title="Sign-in is not switched on">
      <p>
        Postroom shows nothing until people can sign in. Mail is still fetched and stored as before; nothing
        is lost.
      </p>
      <p>
        Whoever runs this app in Azure can switch it on: open the Function App, choose Authentication, and add
        Microsoft as the identity provider. The setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS must name the tenant
        whose people may come.
      </p>
    </Page>,
  );
}

/** Signed in at another provider or in another tenant: the same words there mean somebody else. */
export function foreignPrincipalPage(): string {
  return renderPage(
    <Page title="This sign-in is from another organization">
      <p>
        Postroom lets in people of its own Microsoft 365 organization only. You are signed in with an account
        of another one.
      </p>
      <p>
        <a href={platformPaths.signOut()}>Sign out, and sign in with your work account</a>
      </p>
      <p>
        Whoever runs this app in Azure: the setting WEBSITE_AUTH_AAD_ALLOWED_TENANTS names the tenants that
        may come, and Microsoft is the only identity provider.
      </p>
    </Page>,
  );
}

/** Signed in, but without the role. */
export function roleMissingPage(principal: Principal | undefined, role?: Role): string {
  const needed = role === 'admin' ? 'the role admin' : 'the role admin or agent';
  return renderPage(
    <Page title="You may not open this page" principal={principal}>
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
        <a href={platformPaths.signOut()}>Sign in as somebody else</a>
      </p>
    </Page>,
  );
}

/** Nothing lives at this address. */
export function notFoundPage(principal: Principal | undefined): string {
  return renderPage(
    <Page title="This page does not exist" principal={principal}>
      <p>The address may be mistyped, or what it showed was deleted.</p>
      <p>
        <a href={paths.home()}>Go to the start page</a>
      </p>
    </Page>,
  );
}

/** A form from another site, or one whose page was opened under another address. */
export function otherSitePage(): string {
  return renderPage(
    <Page title="This request came from another site">
      <p>Postroom changes something only when one of its own pages asks. Nothing was changed.</p>
      <p>
        <a href={paths.home()}>Open Postroom</a> and try again there.
      </p>
    </Page>,
  );
}

/** More was sent than any of our forms holds. */
export function tooLargePage(): string {
  return renderPage(
    <Page title="That is too much for one form">
      <p>A form may hold up to 1 MB. Nothing was changed. Go back, shorten the text, and send it again.</p>
    </Page>,
  );
}

/** A body that no form of ours makes. */
export function malformedPage(): string {
  return renderPage(
    <Page title="This form could not be read">
      <p>What was sent is not a form. Nothing was changed.</p>
      <p>
        <a href={paths.home()}>Open Postroom</a> and send the form again from its page.
      </p>
    </Page>,
  );
}

/** Something broke; the log knows it by the reference. */
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
