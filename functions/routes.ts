import { paths } from '../shared/paths/paths.ts';
import { get, post, type Route, upload } from './http/route.ts';
import { checkAccount, showAccount, showAccounts } from './pages/accounts/accounts.tsx';
import { showAlerts } from './pages/alerts/alerts.tsx';
import { explainPastedError, showErrorLookup } from './pages/errors/error-lookup.tsx';
import { changeAnswers, showAnswers } from './pages/mailboxes/answers.tsx';
import { showConnected } from './pages/mailboxes/connected.tsx';
import {
  downloadTranscript,
  showConnectionTest,
  testConnection,
} from './pages/mailboxes/connection-test.tsx';
import { checkFolder, fetchMissingEmail, showFolderCheck } from './pages/mailboxes/folder-check.tsx';
import {
  changeMailbox,
  confirmMailboxDeletion,
  createMailbox,
  pauseMailbox,
  resumeMailbox,
  showMailboxDeletion,
  showMailboxes,
  showMailboxForm,
  showNewMailbox,
} from './pages/mailboxes/mailboxes.tsx';
import { readOverGraph, sendOverGraph } from './pages/mailboxes/over-graph.ts';
import {
  changeProvider,
  createProvider,
  showNewProvider,
  showProviderForm,
} from './pages/providers/provider-edit.tsx';
import {
  checkProviderNow,
  confirmProviderDeletion,
  discardNextCredential,
  downloadCertificate,
  downloadScript,
  showProvider,
  showProviderDeletion,
  showProviders,
} from './pages/providers/providers.tsx';
import {
  addCannedReply,
  confirmCannedReplyDeletion,
  editCannedReply,
  showCannedReplies,
  showCannedReply,
  showCannedReplyDeletion,
  showNewCannedReply,
} from './pages/replies/canned-replies.tsx';
import {
  downloadSentAttachment,
  editSentReply,
  postReply,
  retrySentReply,
  saveDraft,
  showReply,
  undoSentReply,
} from './pages/replies/reply.tsx';
import { replaceKey, showSecrets, turnRotationOnOrOff } from './pages/secrets/secrets.tsx';
import { addSender, removeSender, showSenders } from './pages/senders/senders.tsx';
import { checkAppAccess, showAppAccess } from './pages/sign-in/app-access.tsx';
import { showApproval } from './pages/sign-in/approval.tsx';
import { showApprovalResult } from './pages/sign-in/approval-result.tsx';
import { answerCallback } from './pages/sign-in/callback.tsx';
import { inviteOwner, showConnectForm, showHandover, startSignIn } from './pages/sign-in/consent.tsx';
import { showConsentResult } from './pages/sign-in/consent-result.tsx';
import {
  acceptInvitation,
  openInvitationLink,
  revokeOpenInvitation,
  showInvitation,
  showInvitationLink,
  showInvitations,
  showOpenInvitation,
} from './pages/sign-in/invitation.tsx';
import { showSharedMailbox, tryRightsOnMailbox } from './pages/sign-in/shared-mailbox.tsx';
import { showActivity } from './pages/status/activity.tsx';
import { exportAuditAsCsv, exportAuditAsJson, showAudit } from './pages/status/audit.tsx';
import { showHealth } from './pages/status/health.tsx';
import { showHome } from './pages/status/home.tsx';
import { postAssignment, showAssignment } from './pages/tickets/assignment.ts';
import { blockSender, unblockSender } from './pages/tickets/block-sender.tsx';
import { searchEmail, showFindEmail } from './pages/tickets/find-email.tsx';
import { downloadAttachment, downloadOriginal, showBody, showText } from './pages/tickets/message-files.ts';
import { showTicket } from './pages/tickets/ticket-page.tsx';
import { closeTicket, reopenTicket, showTickets } from './pages/tickets/tickets.tsx';
import {
  dismissUnimported,
  downloadUnimported,
  makeTicketOfUnimported,
  retryUnimportedEmail,
  showUnimported,
} from './pages/tickets/unimported.tsx';

/**
 * Every path of the pages, with its role and handler. The first match handles the request, so a literal
 * segment comes before a parameter in the same place. The health endpoints and the assets are not in the
 * table: they need neither settings nor services.
 */
export const routes: readonly Route[] = [
  get(paths.home, 'agent', showHome),
  get(paths.activity, 'agent', showActivity),
  get(paths.alerts, 'agent', showAlerts),
  get(paths.health, 'admin', showHealth),
  get(paths.errorLookup, 'agent', showErrorLookup),
  post(paths.errorLookup, 'agent', explainPastedError),
  get(paths.audit, 'admin', showAudit),
  get(paths.auditAsCsv, 'admin', exportAuditAsCsv),
  get(paths.auditAsJson, 'admin', exportAuditAsJson),

  get(paths.tickets, 'agent', showTickets),
  get(paths.ticket, 'agent', showTicket),
  post(paths.closeTicket, 'agent', closeTicket),
  post(paths.reopenTicket, 'agent', reopenTicket),
  get(paths.assignTicket, 'agent', showAssignment),
  post(paths.assignTicket, 'agent', postAssignment),
  post(paths.blockSender, 'agent', blockSender),
  post(paths.unblockSender, 'agent', unblockSender),
  get(paths.reply, 'agent', showReply),
  upload(paths.reply, 'agent', postReply),
  post(paths.saveDraft, 'agent', saveDraft),
  post(paths.undoReply, 'agent', undoSentReply),
  post(paths.editReply, 'agent', editSentReply),
  post(paths.retryReply, 'agent', retrySentReply),
  get(paths.sentAttachment, 'agent', downloadSentAttachment),
  get(paths.messageBody, 'agent', showBody),
  get(paths.messageText, 'agent', showText),
  get(paths.messageAttachment, 'agent', downloadAttachment),
  get(paths.messageOriginal, 'agent', downloadOriginal),
  get(paths.findEmail, 'agent', showFindEmail),
  post(paths.findEmail, 'agent', searchEmail),
  get(paths.unimported, 'agent', showUnimported),
  get(paths.unimportedOriginal, 'agent', downloadUnimported),
  post(paths.retryUnimported, 'agent', retryUnimportedEmail),
  post(paths.ticketOfUnimported, 'agent', makeTicketOfUnimported),
  post(paths.dismissUnimported, 'agent', dismissUnimported),

  get(paths.cannedReplies, 'admin', showCannedReplies),
  get(paths.newCannedReply, 'admin', showNewCannedReply),
  post(paths.newCannedReply, 'admin', addCannedReply),
  get(paths.editCannedReply, 'admin', showCannedReply),
  post(paths.editCannedReply, 'admin', editCannedReply),
  get(paths.deleteCannedReply, 'admin', showCannedReplyDeletion),
  post(paths.deleteCannedReply, 'admin', confirmCannedReplyDeletion),

  get(paths.secrets, 'admin', showSecrets),
  post(paths.encryptionKey, 'admin', replaceKey),

  get(paths.providers, 'admin', showProviders),
  get(paths.newProvider, 'admin', showNewProvider),
  post(paths.newProvider, 'admin', createProvider),
  get(paths.provider, 'admin', showProvider),
  get(paths.editProvider, 'admin', showProviderForm),
  post(paths.editProvider, 'admin', changeProvider),
  post(paths.checkProvider, 'admin', checkProviderNow),
  post(paths.discardNextCredential, 'admin', discardNextCredential),
  get(paths.registrationScript, 'admin', downloadScript),
  get(paths.certificate, 'admin', downloadCertificate),
  post(paths.rotation, 'admin', turnRotationOnOrOff),
  get(paths.deleteProvider, 'admin', showProviderDeletion),
  post(paths.deleteProvider, 'admin', confirmProviderDeletion),

  get(paths.connect, 'admin', showConnectForm),
  post(paths.connect, 'admin', startSignIn),
  get(paths.sharedMailbox, 'admin', showSharedMailbox),
  post(paths.sharedMailbox, 'admin', tryRightsOnMailbox),
  get(paths.appAccess, 'admin', showAppAccess),
  post(paths.appAccess, 'admin', checkAppAccess),
  get(paths.handover, 'admin', showHandover),
  get(paths.approval, 'admin', showApproval),
  post(paths.createInvitation, 'admin', inviteOwner),
  get(paths.invitations, 'admin', showInvitations),
  get(paths.invitation, 'admin', showInvitationLink),
  post(paths.revokeInvitation, 'admin', revokeOpenInvitation),
  get(paths.openInvitation, 'anonymous', showOpenInvitation),
  post(paths.openInvitation, 'anonymous', openInvitationLink),
  get(paths.acceptInvitation, 'anonymous', showInvitation),
  post(paths.acceptInvitation, 'anonymous', acceptInvitation),
  get(paths.callback, 'anonymous', answerCallback),
  get(paths.providerCallback, 'anonymous', answerCallback),
  get(paths.approvalResult, 'anonymous', showApprovalResult),
  get(paths.consentResult, 'anonymous', showConsentResult),

  get(paths.accounts, 'admin', showAccounts),
  get(paths.account, 'admin', showAccount),
  post(paths.checkAccount, 'admin', checkAccount),

  get(paths.senders, 'admin', showSenders),
  post(paths.senders, 'admin', addSender),
  post(paths.removeSender, 'admin', removeSender),

  get(paths.mailboxes, 'admin', showMailboxes),
  get(paths.newMailbox, 'admin', showNewMailbox),
  post(paths.newMailbox, 'admin', createMailbox),
  get(paths.mailboxConnected, 'admin', showConnected),
  get(paths.editMailbox, 'admin', showMailboxForm),
  post(paths.editMailbox, 'admin', changeMailbox),
  get(paths.mailboxAnswers, 'admin', showAnswers),
  post(paths.mailboxAnswers, 'admin', changeAnswers),
  get(paths.connectionTest, 'admin', showConnectionTest),
  post(paths.connectionTest, 'admin', testConnection),
  get(paths.testTranscript, 'admin', downloadTranscript),
  post(paths.readOverGraph, 'admin', readOverGraph),
  post(paths.sendOverGraph, 'admin', sendOverGraph),
  post(paths.pauseMailbox, 'admin', pauseMailbox),
  post(paths.resumeMailbox, 'admin', resumeMailbox),
  get(paths.mailboxCheck, 'admin', showFolderCheck),
  post(paths.mailboxCheck, 'admin', checkFolder),
  post(paths.fetchMissing, 'admin', fetchMissingEmail),
  get(paths.deleteMailbox, 'admin', showMailboxDeletion),
  post(paths.deleteMailbox, 'admin', confirmMailboxDeletion),
];
