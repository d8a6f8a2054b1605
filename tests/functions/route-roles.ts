/** Who may ask for what. Every address of the pages stands here by hand, so that a new one has to be thought about. */
export type Access = 'everyone' | 'agent' | 'admin';

export const accessOf: Readonly<Record<string, Access>> = {
  'GET /oauth/callback': 'everyone',
  'GET /invite/:token': 'everyone',
  'POST /invite/:token': 'everyone',

  'GET /': 'agent',
  'GET /tickets': 'agent',
  'GET /tickets/:id': 'agent',
  'POST /tickets/:id/close': 'agent',
  'POST /tickets/:id/reopen': 'agent',
  'GET /tickets/:id/messages/:key/body': 'agent',
  'GET /tickets/:id/messages/:key/attachments/:index': 'agent',
  'GET /tickets/:id/messages/:key/raw': 'agent',
  'GET /quarantine': 'agent',
  'GET /quarantine/:mailboxId/raw': 'agent',
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
  'GET /providers/:id/delete': 'admin',
  'POST /providers/:id/delete': 'admin',
  'GET /providers/:id/connect': 'admin',
  'POST /providers/:id/connect': 'admin',
  'GET /connect/:key': 'admin',
  'GET /approvals/:key': 'admin',
  'POST /providers/:id/invite': 'admin',
  'GET /invitations': 'admin',
  'POST /invitations/:key/revoke': 'admin',
  'GET /mailboxes': 'admin',
  'GET /mailboxes/:id/connected': 'admin',
  'GET /mailboxes/new': 'admin',
  'POST /mailboxes/new': 'admin',
  'GET /mailboxes/:id/edit': 'admin',
  'POST /mailboxes/:id/edit': 'admin',
  'GET /mailboxes/:id/test': 'admin',
  'POST /mailboxes/:id/test': 'admin',
  'GET /mailboxes/:id/test/transcript': 'admin',
  'POST /mailboxes/:id/pause': 'admin',
  'POST /mailboxes/:id/resume': 'admin',
  'GET /mailboxes/:id/delete': 'admin',
  'POST /mailboxes/:id/delete': 'admin',
};

/** What main.ts registers beside the pages, and who may ask. */
export const functionRoutes: Readonly<Record<string, Access>> = {
  'health/live': 'everyone',
  'health/ready': 'everyone',
  'oauth/callback': 'everyone',
  // All pages, each as it stands above.
  '{*path}': 'everyone',
};
