import type { MailSender } from '../outbox/send-mail.ts';
import type { Config } from '../platform/config.ts';
import type { Seam } from '../platform/seam.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import { smtpRefused } from './desk-conditions.ts';
import type { Channels, Notices } from './keep-notices.ts';
import type { KnownMailboxes } from './known-mailboxes.ts';
import type { Observation } from './notice.ts';
import { emailTeller, type SendingSeen } from './tell-email.ts';
import { webhookTeller } from './tell-webhook.ts';

/**
 * The channels that settings and vault name at the moment of asking. The pages are none of them: they read what is
 * stored. A webhook whose secret cannot be used counts: what it is to hear waits until that is mended.
 */
export function noticeChannels(deps: {
  config: Config;
  seam: Seam;
  channelSecrets: ChannelSecrets;
  sender: Pick<MailSender, 'send'>;
  mailboxes: Pick<KnownMailboxes, 'listOrLast'>;
  /** Where a server that refuses mail becomes a notice; while notices are kept in memory there is no such place. */
  notices: () => Pick<Notices, 'observe' | 'held'>;
}): () => Promise<Channels> {
  const { config, seam, sender, channelSecrets } = deps;
  const seen = async (sendings: readonly SendingSeen[]): Promise<void> => {
    const observation = sendingObservation(sendings, seam.now());
    const notices = deps.notices();
    if (observation.about?.length === 0 || notices.held().length > 0) return;
    await notices.observe(observation);
  };
  const mailboxes = deps.mailboxes.listOrLast;
  const email = emailTeller({ config, sender, channelSecrets, mailboxes, seen });
  const webhook = webhookTeller({ config, seam, channelSecrets });
  return async () => {
    const { webhook: state } = await channelSecrets.read();
    return {
      ...(config.notices.emails.length > 0 && { email }),
      ...(state.kind !== 'absent' && { webhook }),
    };
  };
}

/**
 * What servers said of mail. What passes by itself is tried again and is no notice; where no server was asked, as for an
 * account that needs a person, that fault has a notice of its own. Pure.
 */
export function sendingObservation(sendings: readonly SendingSeen[], now: number): Observation {
  const asked = sendings.filter(({ refusal }) => refusal?.asked !== false);
  return {
    source: 'sending',
    conditions: asked.flatMap(({ mailbox, refusal }) =>
      refusal?.permanent === true ? [smtpRefused(mailbox, refusal, now)] : [],
    ),
    about: asked.map(({ mailbox }) => mailbox.id),
  };
}
