/** The query parameters of an address; undefined values are omitted. */
export type Query = Readonly<Record<string, string | number | undefined>>;

type ParameterName<Pattern extends string> = Pattern extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterName<`/${Rest}`>
  : Pattern extends `${string}:${infer Name}`
    ? Name
    : never;
type Values<Pattern extends string> = Readonly<Record<ParameterName<Pattern>, string | number>>;

/** The path of one route: its pattern in the router's notation, and the builder of links to it. */
export interface Path<Pattern extends string = string> {
  readonly pattern: Pattern;
  (
    ...values: [ParameterName<Pattern>] extends [never]
      ? [query?: Query]
      : [values: Values<Pattern>, query?: Query]
  ): string;
}

function path<const Pattern extends string>(pattern: Pattern): Path<Pattern> {
  const hasParameters = pattern.includes('/:');
  const build = (...given: readonly (Query | undefined)[]): string => {
    const [values, query] = hasParameters ? given : [undefined, given[0]];
    const filled = pattern.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(String(values?.[name])),
    );
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) search.set(name, String(value));
    return search.size === 0 ? filled : `${filled}?${search}`;
  };
  // The compiler cannot see that the values fit a pattern that it does not know yet; callers are checked against it.
  return Object.assign(build, { pattern }) as Path<Pattern>;
}

/**
 * Every path of Postroom, written once: the table in `functions/routes.ts` registers these patterns and says who may open
 * each, and every link is built from them.
 */
export const paths = {
  home: path('/'),
  activity: path('/activity'),
  alerts: path('/alerts'),
  health: path('/health'),
  errorLookup: path('/explain'),
  audit: path('/audit'),
  auditAsCsv: path('/audit/export.csv'),
  auditAsJson: path('/audit/export.json'),

  tickets: path('/tickets'),
  ticket: path('/tickets/:id'),
  closeTicket: path('/tickets/:id/close'),
  reopenTicket: path('/tickets/:id/reopen'),
  assignTicket: path('/tickets/:id/assign'),
  blockSender: path('/tickets/:id/block-sender'),
  unblockSender: path('/tickets/:id/unblock-sender'),
  reply: path('/tickets/:id/reply'),
  saveDraft: path('/tickets/:id/draft'),
  undoReply: path('/tickets/:id/sent/:message/undo'),
  editReply: path('/tickets/:id/sent/:message/edit'),
  retryReply: path('/tickets/:id/sent/:message/retry'),
  sentAttachment: path('/tickets/:id/sent/:message/attachments/:index'),
  messageBody: path('/tickets/:id/messages/:key/body'),
  messageText: path('/tickets/:id/messages/:key/text'),
  messageAttachment: path('/tickets/:id/messages/:key/attachments/:index'),
  messageOriginal: path('/tickets/:id/messages/:key/raw'),
  findEmail: path('/find-email'),
  unimported: path('/unimported'),
  unimportedOriginal: path('/unimported/:mailboxId/raw'),
  retryUnimported: path('/unimported/:mailboxId/retry'),
  ticketOfUnimported: path('/unimported/:mailboxId/ticket'),
  dismissUnimported: path('/unimported/:mailboxId/dismiss'),

  cannedReplies: path('/canned-replies'),
  newCannedReply: path('/canned-replies/new'),
  editCannedReply: path('/canned-replies/:id'),
  deleteCannedReply: path('/canned-replies/:id/delete'),

  secrets: path('/secrets'),
  encryptionKey: path('/secrets/encryption-key'),

  providers: path('/providers'),
  newProvider: path('/providers/new'),
  provider: path('/providers/:id'),
  editProvider: path('/providers/:id/edit'),
  checkProvider: path('/providers/:id/check'),
  discardNextCredential: path('/providers/:id/discard-next'),
  registrationScript: path('/providers/:id/script'),
  certificate: path('/providers/:id/certificates/:thumbprint'),
  rotation: path('/providers/:id/rotation'),
  deleteProvider: path('/providers/:id/delete'),

  connect: path('/providers/:id/connect'),
  sharedMailbox: path('/providers/:id/shared-mailbox'),
  appAccess: path('/providers/:id/app-access'),
  createInvitation: path('/providers/:id/invite'),
  handover: path('/connect/:key'),
  approval: path('/approvals/:key'),
  invitations: path('/invitations'),
  invitation: path('/invitations/:key'),
  revokeInvitation: path('/invitations/:key/revoke'),
  openInvitation: path('/invite'),
  acceptInvitation: path('/invite/:key'),
  callback: path('/oauth/callback'),
  providerCallback: path('/oauth/callback/:provider'),
  approvalResult: path('/oauth/result/approval'),
  consentResult: path('/oauth/result/:key'),

  accounts: path('/accounts'),
  account: path('/accounts/:providerId/:accountId'),
  checkAccount: path('/accounts/:providerId/:accountId/check'),

  senders: path('/senders'),
  removeSender: path('/senders/remove'),

  mailboxes: path('/mailboxes'),
  newMailbox: path('/mailboxes/new'),
  mailboxConnected: path('/mailboxes/:id/connected'),
  editMailbox: path('/mailboxes/:id/edit'),
  mailboxAnswers: path('/mailboxes/:id/answers'),
  connectionTest: path('/mailboxes/:id/test'),
  readOverGraph: path('/mailboxes/:id/read-over-graph'),
  sendOverGraph: path('/mailboxes/:id/send-over-graph'),
  testTranscript: path('/mailboxes/:id/test/transcript'),
  pauseMailbox: path('/mailboxes/:id/pause'),
  resumeMailbox: path('/mailboxes/:id/resume'),
  mailboxCheck: path('/mailboxes/:id/check'),
  fetchMissing: path('/mailboxes/:id/fetch-missing'),
  deleteMailbox: path('/mailboxes/:id/delete'),

  asset: path('/assets/:name'),
  live: path('/health/live'),
  ready: path('/health/ready'),
  graphNotifications: path('/graph/notifications'),
} as const;

export type PathName = keyof typeof paths;

/** What App Service authentication answers before a request reaches the app. */
export const platformPaths = {
  signIn: path('/.auth/login/aad'),
  signOut: path('/.auth/logout'),
} as const;
