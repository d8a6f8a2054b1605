import type { AccessTokens } from '../shared/accounts/access-token.ts';
import { type AccountStore, createAccountStore } from '../shared/accounts/account-store.ts';
import { createAccessTokens } from '../shared/accounts/get-access-token.ts';
import { createOAuthClient, type OAuthClient } from '../shared/accounts/oauth-client.ts';
import { createTokenCipher, type TokenCipher } from '../shared/accounts/token-encryption.ts';
import { type ActivityStore, createActivityStore } from '../shared/activity/activity-store.ts';
import { type AgentQueueStore, createAgentQueueStore } from '../shared/agent-alerts/agent-queue-store.ts';
import { alertChannels, outboxObservation } from '../shared/alerts/alert-channels.ts';
import { type AlertService, createAlertService } from '../shared/alerts/alert-service.ts';
import { type ChannelSecrets, createChannelSecrets } from '../shared/alerts/channel-secrets.ts';
import { createHealthMonitor, type HealthMonitor } from '../shared/alerts/health-monitor.ts';
import { createMailboxCache, type MailboxCache } from '../shared/alerts/mailbox-cache.ts';
import { readRelayUrl } from '../shared/alerts/read-relay-url.ts';
import { type AuditStore, createAuditStore } from '../shared/audit/audit-store.ts';
import {
  type ConnectionTestStore,
  createConnectionTestStore,
} from '../shared/connection-test/connection-test-store.ts';
import { markIn } from '../shared/connection-test/test-smtp.ts';
import { type ApprovalStore, createApprovalStore } from '../shared/consent/approval-store.ts';
import { type ConsentStore, createConsentStore } from '../shared/consent/consent-store.ts';
import { createInvitationStore, type InvitationStore } from '../shared/consent/invitation-store.ts';
import {
  createSetUpApprovalStore,
  type SetUpApprovalStore,
} from '../shared/consent/set-up-approval-store.ts';
import { createHeartbeatStore, type HeartbeatStore } from '../shared/heartbeats/heartbeat-store.ts';
import { ticketIdOf } from '../shared/intake/content-key.ts';
import type { ShardDeps } from '../shared/intake/fetch-shard.ts';
import { createLedgerStore } from '../shared/intake/ledger-store.ts';
import { createQuarantineStore, type QuarantineStore } from '../shared/intake/quarantine-store.ts';
import { createMailboxStore, type MailboxStore } from '../shared/mailboxes/mailbox-store.ts';
import { openInbox } from '../shared/mailboxes/open-inbox.ts';
import { recentAddresses } from '../shared/mailboxes/own-address.ts';
import { verifyMailbox } from '../shared/mailboxes/verify-mailbox.ts';
import { createParserPool } from '../shared/mime/parser-pool.ts';
import { createMessageIds, type MessageIds } from '../shared/outbox/message-id.ts';
import { createOutboxStore, type OutboxStore } from '../shared/outbox/outbox-store.ts';
import { recordSends } from '../shared/outbox/record-sends.ts';
import type { SendDeps } from '../shared/outbox/send-emails.ts';
import { createMailSender, type MailSender, routeOf } from '../shared/outbox/send-mail.ts';
import { createSendingUsage } from '../shared/outbox/sending-usage.ts';
import { noSentFolder, openSentFolder } from '../shared/outbox/sent-folder.ts';
import { wayOutOver } from '../shared/outbox/way-out.ts';
import { paths } from '../shared/paths/paths.ts';
import { azureBlobs } from '../shared/platform/azure-blobs.ts';
import { azureQueues } from '../shared/platform/azure-queues.ts';
import { azureTables } from '../shared/platform/azure-tables.ts';
import { azureVault } from '../shared/platform/azure-vault.ts';
import type { Blobs } from '../shared/platform/blobs.ts';
import { type Config, readConfig } from '../shared/platform/config.ts';
import { type IdentityAssertion, managedIdentityAssertion } from '../shared/platform/credential.ts';
import type { Queues } from '../shared/platform/queues.ts';
import { openSeam, type Seam } from '../shared/platform/seam.ts';
import type { Tables } from '../shared/platform/tables.ts';
import type { Vault } from '../shared/platform/vault.ts';
import { graphOf } from '../shared/providers/graph-of.ts';
import { createProviderStore, type ProviderStore } from '../shared/providers/provider-store.ts';
import { graphSubscriptions } from '../shared/push/graph-subscriptions.ts';
import type { MaintainDeps } from '../shared/push/maintain-push.ts';
import { createPushStore } from '../shared/push/push-records.ts';
import { createEventReceiver, type EventReceiver } from '../shared/push/receive-events.ts';
import { type CannedReplyStore, createCannedReplyStore } from '../shared/replies/canned-reply-store.ts';
import { createReplyDraftStore, type ReplyDraftStore } from '../shared/replies/reply-draft-store.ts';
import { createGraphApplications, type GraphApplications } from '../shared/secrets/graph-applications.ts';
import { createRotationStore, type RotationStore } from '../shared/secrets/rotation-store.ts';
import { createSenderRuleStore, type SenderRuleStore } from '../shared/senders/sender-rule-store.ts';
import { createHtmlViewer, type HtmlViewer } from '../shared/tickets/show-html.ts';
import { createTicketStore, type TicketStore } from '../shared/tickets/ticket-store.ts';

import { createAcknowledgements } from './use-cases/acknowledge-tickets.ts';
import { createAgentNews } from './use-cases/alert-agents.ts';
import { reportUnsentReply } from './use-cases/report-unsent-reply.ts';

/** Everything that triggers and pages use, created once per process at first use. */
export interface Services {
  config: Config;
  seam: Seam;
  tables: Tables;
  blobs: Blobs;
  queues: Queues;
  vault: Vault;
  identityAssertion: IdentityAssertion;
  audit: AuditStore;
  activity: ActivityStore;
  sealer: TokenCipher;
  oauth: OAuthClient;
  providers: ProviderStore;
  rotations: RotationStore;
  graph: GraphApplications;
  accounts: AccountStore;
  consents: ConsentStore;
  approvals: ApprovalStore;
  setUpApprovals: SetUpApprovalStore;
  invitations: InvitationStore;
  accessTokens: AccessTokens;
  mailboxes: MailboxStore;
  mailSender: MailSender;
  outbox: OutboxStore;
  messageIds: MessageIds;
  agentQueues: AgentQueueStore;
  drafts: ReplyDraftStore;
  cannedReplies: CannedReplyStore;
  /** What the function `sendMail` needs. */
  sending: SendDeps;
  connectionTests: ConnectionTestStore;
  tickets: TicketStore;
  htmlViewer: HtmlViewer;
  quarantine: QuarantineStore;
  senderRules: SenderRuleStore;
  heartbeats: HeartbeatStore;
  knownMailboxes: MailboxCache;
  channelSecrets: ChannelSecrets;
  alerts: AlertService;
  watch: HealthMonitor;
  intake: ShardDeps;
  push: MaintainDeps;
  graphEvents: EventReceiver;
  verifyMailbox: typeof verifyMailbox;
}

let cached: Services | undefined;

/**
 * Reads the settings at the first call and not at load: invalid settings are shown as a page, and every
 * function is registered.
 */
export function services(): Services {
  cached ??= buildServices(readConfig(), openSeam);
  return cached;
}

/** The platform below the services: Azure's storage and vault, or stand-ins with the same contract. */
export type Platform = Pick<Services, 'config' | 'seam' | 'tables' | 'blobs' | 'queues' | 'vault'>;

/**
 * The services of the real app, with Azure's storage and vault from the settings.
 * @param seam every external call and the clock pass through it
 */
export function buildServices(config: Config, seam: Seam): Services {
  return servicesOn({
    config,
    seam,
    tables: azureTables(config.storage, seam),
    blobs: azureBlobs(config.storage, seam),
    queues: azureQueues(config.storage, seam),
    vault: azureVault(config, seam),
  });
}

/**
 * All features on the given storage and vault. Sends no request yet.
 * @param options for tests: `pauseMs` between two checks for an access token that another process is
 * getting, and an assertion that replaces the managed identity's
 */
export function servicesOn(
  platform: Platform,
  options: { pauseMs?: number; identityAssertion?: IdentityAssertion } = {},
): Services {
  const { config, seam, tables } = platform;
  const identityAssertion = options.identityAssertion ?? managedIdentityAssertion(config);
  const stores = {
    audit: createAuditStore(tables),
    activity: createActivityStore(tables),
    sealer: createTokenCipher(platform.vault, seam),
    oauth: createOAuthClient({ ...platform, identityAssertion }),
    providers: createProviderStore(tables),
    rotations: createRotationStore(tables),
    graph: createGraphApplications({ seam, local: config.local, identityAssertion }),
    accounts: createAccountStore(tables),
    consents: createConsentStore(tables),
    approvals: createApprovalStore(tables),
    setUpApprovals: createSetUpApprovalStore(tables),
    invitations: createInvitationStore(tables),
    mailboxes: createMailboxStore(tables),
    connectionTests: createConnectionTestStore(tables),
  };
  const accessTokens = createAccessTokens({ ...platform, ...stores, ...options });
  const channelSecrets = createChannelSecrets(platform);
  const relayUrl = () => readRelayUrl(channelSecrets);
  const plainSender = createMailSender({ ...platform, accessTokens, relayUrl });
  const mailSender = recordSends(plainSender, { ...platform, ...stores });
  const outbox = createOutboxStore(platform);
  const messageIds = createMessageIds(platform.vault, seam);
  const drafts = createReplyDraftStore(platform);
  const cannedReplies = createCannedReplyStore(tables);
  const tickets = createTicketStore(platform);
  const htmlViewer = createHtmlViewer(platform);
  const quarantine = createQuarantineStore(platform);
  const senderRules = createSenderRuleStore(platform);
  const heartbeats = createHeartbeatStore(
    tables,
    config.local ? new Date(seam.now()).toISOString() : undefined,
  );
  const knownMailboxes = createMailboxCache(stores.mailboxes);
  const alerts: AlertService = createAlertService({
    tables,
    seam,
    channels: alertChannels({
      ...platform,
      channelSecrets,
      sender: mailSender,
      mailboxes: knownMailboxes,
      alerts: () => alerts,
    }),
  });
  const watch = createHealthMonitor({
    ...platform,
    ...stores,
    quarantine,
    mailboxes: { ...stores.mailboxes, list: knownMailboxes.list },
    heartbeats,
    channelSecrets,
    alerts,
  });
  const agentQueues = createAgentQueueStore(tables);
  const ownAddresses = recentAddresses(stores.mailboxes, seam);
  const answers = {
    sentEmailOf: messageIds.read,
    acknowledgements: createAcknowledgements({ ...platform, outbox, messageIds, ownAddresses }),
    agentNews: createAgentNews(agentQueues, ownAddresses),
  };
  const intake: ShardDeps = {
    ...platform,
    ...answers,
    mailboxes: stores.mailboxes,
    activity: stores.activity,
    accessTokens,
    quarantine,
    senderRules: senderRules.recent,
    ledger: createLedgerStore(tables),
    parser: createParserPool({ workers: 2 }),
    ticketIdOf,
    isOwnTest: async (messageId) => {
      const mark = markIn(messageId);
      return mark !== undefined && stores.connectionTests.takeMark(mark);
    },
    openInbox: (address, protocol) => openInbox(protocol, address, seam, config),
    saveCursor: stores.mailboxes.saveCursor,
  };
  const pushStore = createPushStore(tables);
  const push: MaintainDeps = {
    ...platform,
    ...stores,
    push: pushStore,
    accessTokens,
    seam,
    notificationUrl: `${config.publicUrl}${paths.graphNotifications()}`,
    async graphOf(providerId) {
      const provider = await stores.providers.get(providerId);
      return provider && graphOf(provider, config);
    },
    subscriptions: (origin, token) => graphSubscriptions(origin, token, { seam, local: config.local }),
  };
  const sending: SendDeps = {
    ...platform,
    outbox,
    activity: stores.activity,
    usage: createSendingUsage(tables),
    async wayOutOf(mailboxId) {
      const mailbox = await stores.mailboxes.get(mailboxId);
      const route = mailbox && routeOf(mailbox);
      return route && wayOutOver(plainSender, route);
    },
    async openSentFolder(mailboxId) {
      const mailbox = await stores.mailboxes.get(mailboxId);
      return mailbox === undefined ? noSentFolder : openSentFolder(intake, mailbox);
    },
    async sendsAgain(mailboxId) {
      if (alerts.inMemory().length > 0) return;
      await alerts.observe({ source: 'sending', findings: [], about: [mailboxId] });
      await outbox.releaseHeld(mailboxId);
    },
    replyNeedsPerson: (message) => reportUnsentReply({ ...stores, agentQueues, tickets }, message),
    async cannotSend(mailboxId, refusal) {
      const mailbox = await stores.mailboxes.get(mailboxId);
      if (mailbox === undefined || alerts.inMemory().length > 0) return;
      await alerts.observe(outboxObservation(mailbox, refusal, seam.now()));
    },
  };
  return {
    ...platform,
    identityAssertion,
    ...stores,
    accessTokens,
    mailSender,
    outbox,
    messageIds,
    agentQueues,
    drafts,
    cannedReplies,
    sending,
    tickets,
    htmlViewer,
    quarantine,
    senderRules,
    heartbeats,
    knownMailboxes,
    channelSecrets,
    alerts,
    watch,
    intake,
    push,
    graphEvents: createEventReceiver({ ...platform, push: pushStore }),
    verifyMailbox,
  };
}
