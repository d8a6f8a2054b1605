import { routes } from '../../../functions/routes.ts';
import { paths } from '../../../shared/paths/paths.ts';

/** Which role may request what. Every path of the pages is listed by hand, so that a new one needs a decision. */
export type Access = 'everyone' | 'agent' | 'admin';

export const accessOf: Readonly<Record<string, Access>> = {
  'GET /oauth/callback': 'everyone',
  'GET /oauth/callback/:provider': 'everyone',
  'GET /oauth/result/approval': 'everyone',
  'GET /oauth/result/:key': 'everyone',
  'GET /invite': 'everyone',
  'POST /invite': 'everyone',
  'GET /invite/:key': 'everyone',
  'POST /invite/:key': 'everyone',

  'GET /': 'agent',
  'GET /alerts': 'agent',
  'GET /activity': 'agent',
  'GET /health': 'admin',
  'GET /secrets': 'admin',
  'POST /secrets/encryption-key': 'admin',
  'POST /providers/:id/rotation': 'admin',
  'GET /tickets': 'agent',
  'GET /tickets/:id': 'agent',
  'POST /tickets/:id/close': 'agent',
  'POST /tickets/:id/reopen': 'agent',
  'GET /tickets/:id/assign': 'agent',
  'POST /tickets/:id/assign': 'agent',
  'POST /tickets/:id/block-sender': 'agent',
  'POST /tickets/:id/unblock-sender': 'agent',
  'GET /mailboxes/:id/answers': 'admin',
  'POST /mailboxes/:id/answers': 'admin',
  'GET /tickets/:id/reply': 'agent',
  'POST /tickets/:id/reply': 'agent',
  'POST /tickets/:id/draft': 'agent',
  'POST /tickets/:id/sent/:message/undo': 'agent',
  'POST /tickets/:id/sent/:message/edit': 'agent',
  'POST /tickets/:id/sent/:message/retry': 'agent',
  'GET /tickets/:id/sent/:message/attachments/:index': 'agent',
  'GET /canned-replies': 'admin',
  'GET /canned-replies/new': 'admin',
  'POST /canned-replies/new': 'admin',
  'GET /canned-replies/:id': 'admin',
  'POST /canned-replies/:id': 'admin',
  'GET /canned-replies/:id/delete': 'admin',
  'POST /canned-replies/:id/delete': 'admin',
  'GET /senders': 'admin',
  'POST /senders': 'admin',
  'POST /senders/remove': 'admin',
  'GET /tickets/:id/messages/:key/body': 'agent',
  'GET /tickets/:id/messages/:key/attachments/:index': 'agent',
  'GET /tickets/:id/messages/:key/raw': 'agent',
  'GET /tickets/:id/messages/:key/text': 'agent',
  'GET /find-email': 'agent',
  'POST /find-email': 'agent',
  'GET /unimported': 'agent',
  'GET /unimported/:mailboxId/raw': 'agent',
  'POST /unimported/:mailboxId/retry': 'agent',
  'POST /unimported/:mailboxId/ticket': 'agent',
  'POST /unimported/:mailboxId/dismiss': 'agent',
  'GET /explain': 'agent',
  'POST /explain': 'agent',

  'GET /audit': 'admin',
  'GET /audit/export.csv': 'admin',
  'GET /audit/export.json': 'admin',
  'GET /providers': 'admin',
  'GET /providers/new': 'admin',
  'POST /providers/new': 'admin',
  'GET /providers/:id': 'admin',
  'GET /providers/:id/edit': 'admin',
  'POST /providers/:id/edit': 'admin',
  'POST /providers/:id/check': 'admin',
  'POST /providers/:id/discard-next': 'admin',
  'GET /providers/:id/script': 'admin',
  'GET /providers/:id/certificates/:thumbprint': 'admin',
  'GET /providers/:id/delete': 'admin',
  'POST /providers/:id/delete': 'admin',
  'GET /providers/:id/connect': 'admin',
  'POST /providers/:id/connect': 'admin',
  'GET /providers/:id/shared-mailbox': 'admin',
  'POST /providers/:id/shared-mailbox': 'admin',
  'GET /connect/:key': 'admin',
  'GET /approvals/:key': 'admin',
  'POST /providers/:id/invite': 'admin',
  'GET /invitations': 'admin',
  'GET /invitations/:key': 'admin',
  'POST /invitations/:key/revoke': 'admin',
  'GET /providers/:id/app-access': 'admin',
  'POST /providers/:id/app-access': 'admin',
  'GET /accounts': 'admin',
  'GET /accounts/:providerId/:accountId': 'admin',
  'POST /accounts/:providerId/:accountId/check': 'admin',
  'GET /mailboxes': 'admin',
  'GET /mailboxes/:id/connected': 'admin',
  'GET /mailboxes/new': 'admin',
  'POST /mailboxes/new': 'admin',
  'GET /mailboxes/:id/edit': 'admin',
  'POST /mailboxes/:id/edit': 'admin',
  'GET /mailboxes/:id/test': 'admin',
  'POST /mailboxes/:id/test': 'admin',
  'GET /mailboxes/:id/test/transcript': 'admin',
  'POST /mailboxes/:id/read-over-graph': 'admin',
  'POST /mailboxes/:id/send-over-graph': 'admin',
  'POST /mailboxes/:id/pause': 'admin',
  'POST /mailboxes/:id/resume': 'admin',
  'GET /mailboxes/:id/check': 'admin',
  'POST /mailboxes/:id/check': 'admin',
  'POST /mailboxes/:id/fetch-missing': 'admin',
  'GET /mailboxes/:id/delete': 'admin',
  'POST /mailboxes/:id/delete': 'admin',
};

/** Everything that responds without a signed-in principal, and why. A star stands for exactly one part of the path. */
export const openBecause: Readonly<Record<string, string>> = {
  '/oauth/callback': 'a provider sends invited owners back, who have no role',
  '/oauth/callback/*': 'the same of a custom provider, which has a redirect URI of its own',
  '/oauth/result/*': 'says how a sign-in ended, to the browser that made it',
  '/invite': 'the link of an invitation leads here; nothing is shown without its token',
  '/invite/*': 'the pages of an invitation, for the browser that brought its token',
  '/assets/*': 'stylesheet, script and icon',
  '/health/live': 'asked by the platform',
  '/health/ready': 'asked by the platform and by whoever watches from outside',
  '/graph/notifications':
    'Microsoft Graph says that email arrived; each event carries a secret of its subscription',
  '/.auth/*': 'the sign-in of the platform, which answers before the app',
};
/** Responses outside of the table of routes: files, separate functions, and the platform. */
const besideTheTable = ['/assets/*', '/health/live', '/health/ready', '/graph/notifications', '/.auth/*'];

/** Everything that the app answers without a signed-in principal. */
export const openPaths: readonly string[] = [
  ...new Set(
    routes
      .filter(({ access }) => access === 'anonymous')
      .map(({ pattern }) => pattern.replaceAll(/:\w+/g, '*'))
      // Listed before the parameter in the same place.
      .filter((pattern) => pattern !== paths.approvalResult()),
  ),
  ...besideTheTable,
];

/** The registrations of main.ts, with the required role. */
export const functionRoutes: Readonly<Record<string, Access>> = {
  'hostRoute(paths.graphNotifications)': 'everyone',
  'hostRoute(paths.live)': 'everyone',
  'hostRoute(paths.ready)': 'everyone',
  '`${hostRoute(paths.callback)}/{provider?}`': 'everyone',
  // All pages, as listed above.
  "'{*path}'": 'everyone',
};
