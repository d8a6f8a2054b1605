import type { Mailbox } from '../mailboxes/mailbox.ts';
import type { MailSender } from '../outbox/send-mail.ts';
import type { SendingRefusal } from '../outbox/sending-refusal.ts';
import type { Config } from '../platform/config.ts';
import type { Seam } from '../platform/seam.ts';
import type { Observation } from './alert.ts';
import type { AlertService, Channels } from './alert-service.ts';
import type { ChannelSecrets } from './channel-secrets.ts';
import { emailChannel, type SendingSeen } from './email-channel.ts';
import type { MailboxCache } from './mailbox-cache.ts';
import { smtpRefused } from './sending-findings.ts';
import { webhookChannel } from './webhook-channel.ts';

/**
 * The channels currently configured by settings and vault, besides the pages, which read the stored alerts.
 * A webhook whose secret can't be used is included: its notifications wait until that is fixed.
 */
export function alertChannels(deps: {
  config: Config;
  seam: Seam;
  channelSecrets: ChannelSecrets;
  sender: Pick<MailSender, 'send'>;
  mailboxes: Pick<MailboxCache, 'listOrLast'>;
  /** Reports a server that refuses email as an alert; not possible while alerts are kept in memory. */
  alerts: () => Pick<AlertService, 'observe' | 'inMemory'>;
}): () => Promise<Channels> {
  const { config, seam, sender, channelSecrets } = deps;
  const seen = async (sendings: readonly SendingSeen[]): Promise<void> => {
    const observation = sendingObservation(sendings, seam.now());
    const alerts = deps.alerts();
    if (observation.about?.length === 0 || alerts.inMemory().length > 0) return;
    await alerts.observe(observation);
  };
  const mailboxes = deps.mailboxes.listOrLast;
  const email = emailChannel({ config, sender, channelSecrets, mailboxes, seen });
  const webhook = webhookChannel({ config, seam, channelSecrets });
  return async () => {
    const { webhook: state } = await channelSecrets.read();
    return {
      ...(config.alerts.emails.length > 0 && { email }),
      ...(state.kind !== 'absent' && { webhook }),
    };
  };
}

/**
 * The findings about sending. A temporary refusal is retried and is no alert. When no server was contacted, because the
 * account needs a person, that fault has its own alert. Pure.
 */
export function sendingObservation(sendings: readonly SendingSeen[], now: number): Observation {
  const asked = sendings.filter(({ refusal }) => refusal?.asked !== false);
  return {
    source: 'sending',
    findings: asked.flatMap(({ mailbox, refusal }) =>
      refusal?.permanent === true ? [smtpRefused(mailbox, refusal, now)] : [],
    ),
    about: asked.map(({ mailbox }) => mailbox.id),
  };
}

/** What the outbox reports: also a server that has not answered for some time. Pure. */
export const outboxObservation = (mailbox: Mailbox, refusal: SendingRefusal, now: number): Observation => ({
  source: 'sending',
  findings: [smtpRefused(mailbox, refusal, now)],
  about: [mailbox.id],
});
