import { explainText } from '../explanations/explain.ts';
import { linkTo } from '../explanations/links.ts';
import { type ProblemCode, partBlamed } from '../platform/problem.ts';
import type { Finding } from './alert.ts';
import type { ChannelFailure, ChannelSecretName } from './channel-states.ts';

const channels: Readonly<Record<ChannelSecretName, { name: string; headline: string; affected: string }>> = {
  'smtp-relay-url': {
    name: 'The relay',
    headline: 'Alerts cannot be sent through the SMTP relay',
    affected: 'Fetching is not affected. Alerts are sent through a mailbox that can send, if there is one.',
  },
  'alert-webhook-url': {
    name: 'The webhook',
    headline: 'Alerts cannot be sent to the webhook',
    affected: 'Fetching is not affected. Webhook notifications are retried for up to a day.',
  },
  'alert-webhook-key': {
    name: 'The key of the webhook',
    headline: 'Alerts to the webhook cannot be signed',
    affected:
      'Fetching is not affected. Teams and Slack need no signature; other receivers get nothing until there is a key.',
  },
};

/**
 * Channels that are configured but cannot be used. Pure.
 * @param options `isVaultBlamed`: Key Vault as a whole fails and has an alert, which covers these too
 */
export function channelFindings(
  failures: readonly ChannelFailure[],
  now: number,
  { isVaultBlamed }: { isVaultBlamed: boolean },
): Finding[] {
  return failures
    .filter(({ code }) => !isVaultBlamed || partBlamed(code) !== 'key-vault')
    .map((failure) => channelUnusable(failure, now));
}

function channelUnusable({ secret, code, reason }: ChannelFailure, now: number): Finding {
  const { name, headline, affected } = channels[secret];
  const azure = linkTo('key-vaults', {});
  return {
    kind: 'channel-unusable',
    subject: { kind: 'channel', id: secret, name },
    severity: 'warning',
    headline: `${headline}: the secret ${secret} cannot be used.`,
    cause: causeOf(code, reason),
    code,
    since: new Date(now).toISOString(),
    affected,
    who: 'you',
    fix: { label: azure.label, href: azure.href },
  };
}

function causeOf(code: ProblemCode, reason: string): string {
  switch (code) {
    case 'channel-malformed':
      return `${reason} Create a new version of the secret, or delete it to turn this off. Postroom reads it again within two minutes.`;
    case 'webhook-unsigned':
      return `${reason} Set it to whsec_ and at least 24 random bytes in base64. Postroom reads it again within two minutes.`;
    case 'secret-disabled':
      return 'It was disabled in Key Vault. Enable its newest version, or delete it to turn this off.';
    default: {
      const explanation = explainText({ text: reason });
      const cause = explanation.code.startsWith('key-vault')
        ? explanation.cause
        : 'Key Vault did not return it.';
      return `${cause} Postroom retries every minute.`;
    }
  }
}
