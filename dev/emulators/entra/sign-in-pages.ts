import { randomBytes } from 'node:crypto';
import type { KnownUser } from './directory.ts';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const STYLE = `
:root{color-scheme:light dark;--ground:#f3f2ef;--card:#fff;--ink:#1d1d1b;--soft:#55534e;--line:#8b887f;--act:#0b5a4a;--on-act:#fff;--bad:#a1260d}
@media (prefers-color-scheme:dark){:root{--ground:#161614;--card:#222220;--ink:#f2f0ea;--soft:#bdb9ae;--line:#77746b;--act:#7fd6bf;--on-act:#0d1f1a;--bad:#ff9c85}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem;padding:1.75rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem;overflow-wrap:anywhere}
.provider{margin:0 0 1rem;color:var(--soft);font-size:.875rem}
h1{margin:0 0 1rem;font-size:1.375rem;line-height:1.25}
h2{font-size:1rem;margin:1.5rem 0 .5rem}
form{display:grid;gap:.75rem;margin:0 0 .75rem}
label{display:grid;gap:.25rem}
input{font:inherit;padding:.55rem .7rem;border:1px solid var(--line);border-radius:.4rem;background:var(--ground);color:inherit}
button{font:inherit;padding:.6rem .8rem;border:1px solid var(--line);border-radius:.4rem;background:transparent;color:inherit;cursor:pointer}
button.act{background:var(--act);border-color:var(--act);color:var(--on-act)}
button.account{text-align:start}
button small{display:block;color:var(--soft)}
:focus-visible{outline:3px solid var(--act);outline-offset:2px}
[role=alert]{color:var(--bad)}
.note{color:var(--soft);font-size:.875rem}
`;

/** A page with its content security policy. No `form-action`: it would also block the redirect to the app. */
export interface Page {
  html: string;
  policy: string;
}

function page(title: string, body: string): Page {
  const nonce = randomBytes(12).toString('base64');
  return {
    html: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)} – demo identity provider</title><style nonce="${nonce}">${STYLE}</style></head>
<body><main><p class="provider">demo identity provider</p><h1>${escapeHtml(title)}</h1>${body}</main></body>
</html>`,
    policy: `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
  };
}

const CANCEL = '<button name="action" value="cancel" formnovalidate>Cancel</button>';
const alert = (error: string | undefined): string =>
  error === undefined ? '' : `<p role="alert" id="error">${escapeHtml(error)}</p>`;
const form = (action: string, content: string): string =>
  `<form method="post" action="${escapeHtml(action)}">${content}</form>`;

function accountButtons(action: string, users: readonly KnownUser[]): string {
  const buttons = users.map(
    (user) =>
      `<button class="account" name="username" value="${escapeHtml(user.upn)}">${escapeHtml(user.name)} <small>${escapeHtml(user.upn)}</small></button>`,
  );
  return form(action, buttons.join(''));
}

/** The list of accounts, each a button. */
export const pickAccountPage = (action: string, users: readonly KnownUser[], error?: string): Page =>
  page('Pick an account', `${alert(error)}${accountButtons(action, users)}${form(action, CANCEL)}`);

/** The form for one account: its address filled in, and a password only if the account has one. */
export function signInPage(
  action: string,
  options: {
    username: string;
    askPassword: boolean;
    others: readonly KnownUser[];
    error?: string | undefined;
  },
): Page {
  const password = options.askPassword
    ? '<label>Password <input name="password" type="password" autocomplete="current-password" required autofocus></label>'
    : '<p class="note">Demo accounts need no password.</p>';
  const others =
    options.others.length === 0 ? '' : `<h2>Other accounts</h2>${accountButtons(action, options.others)}`;
  const fields = `<label>Account <input name="username" type="email" autocomplete="username" required value="${escapeHtml(options.username)}"></label>${password}<button class="act">Sign in</button>`;
  return page('Sign in', `${alert(options.error)}${form(action, fields)}${form(action, CANCEL)}${others}`);
}

/** The requested permissions, one per line. */
export const consentPage = (action: string, app: string, user: string, scopes: readonly string[]): Page =>
  page(
    'Permissions requested',
    `<p><strong>${escapeHtml(app)}</strong> would like to act for <strong>${escapeHtml(user)}</strong>:</p><ul>${list(scopes)}</ul>${form(action, `<button class="act" name="action" value="accept">Accept</button>${CANCEL}`)}`,
  );

/** Entra's page when only an admin may consent (AADSTS90094). */
export const approvalPage = (action: string, app: string): Page =>
  page(
    'Need admin approval',
    `<p><strong>${escapeHtml(app)}</strong> needs permission to access resources in your organization that only an admin can grant. Ask an admin to grant permission to this app before you can use it.</p>${form(action, '<button name="action" value="no-approval">AuthorizationCallback to the application without granting consent</button>')}`,
  );

/** The admin's page: one consent for the organization. */
export const adminConsentPage = (
  action: string,
  app: string,
  domain: string,
  scopes: readonly string[],
): Page =>
  page(
    'Accept for your organization',
    `<p><strong>${escapeHtml(app)}</strong> would like, for everybody in <strong>${escapeHtml(domain)}</strong>:</p><ul>${list(scopes)}</ul>${form(action, `<button class="act" name="action" value="accept">Accept</button>${CANCEL}`)}`,
  );

/**
 * An error page for a request that must not redirect to the app. Below the message, what Entra prints for
 * people to pass on to an administrator.
 * @param sentence may end in the IDs of an error's description
 */
export function troublePage(sentence: string): Page {
  const [, message = sentence, trace, correlation, timestamp] =
    /^(.*?) Trace ID: (\S+) Correlation ID: (\S+) Timestamp: (.+)$/s.exec(sentence) ?? [];
  const details = [
    `Request Id: ${trace}`,
    `Correlation Id: ${correlation}`,
    `Timestamp: ${timestamp}`,
    `Message: ${message}`,
  ].map((line) => `<p class="note">${escapeHtml(line)}</p>`);
  return page(
    'Sorry, but we’re having trouble signing you in',
    `<p role="alert" id="error">${escapeHtml(message)}</p>${trace === undefined ? '' : `<h2>Troubleshooting details</h2><p>If you contact your administrator, send this info to them.</p>${details.join('')}`}`,
  );
}

export const errorPage = (sentence: string): string => troublePage(sentence).html;

const list = (scopes: readonly string[]): string =>
  scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('');
