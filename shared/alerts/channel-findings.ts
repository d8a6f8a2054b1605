import { explainText } from '../explanations/explain.ts';
import { linkTo } from '../explanations/links.ts';
import { partBlamed } from '../platform/problem.ts';
import type { ChannelSecretName, ChannelTrouble } from './channel-states.ts';
import type { Finding } from './alert.ts';

const channels: Readonly<Record<ChannelSecretName, { name: string; headline: string; affected: string }>> = {
  'smtp-relay-url': {
    name: 'The relay',
    headline: 'Alerts do not leave over the relay',
    affected: 'Mail is fetched all the same. Alerts leave over a mailbox that may send, where there is one.',
  },
  'alert-webhook-url': {
    name: 'The webhook',
    headline: 'Alerts do not reach the webhook',
    affected: 'Mail is fetched all the same. What the webhook is to hear waits for up to a day.',
  },
  'alert-webhook-key': {
    name: 'The key of the webhook',
    headline: 'Alerts for the webhook cannot be signed',
    affected:
      'Mail is fetched all the same. Teams and Slack need no signature; another receiver hears nothing until there is a key.',
  },
};

/**
 * A channel that is set up and cannot be used. Pure.
 * @param options `isVaultBlamed`: the vault as a whole fails and has an alert, which speaks for these, too
 */
export function channelFindings(
  troubles: readonly ChannelTrouble[],
  now: number,
  { isVaultBlamed }: { isVaultBlamed: boolean },
): Finding[] {
  return troubles
    .filter(({ code }) => !isVaultBlamed || partBlamed(code) !== 'key-vault')
    .map((trouble) => channelUnusable(trouble, now));
}

function channelUnusable({ secret, code, said }: ChannelTrouble, now: number): Finding {
  const { name, headline, affected } = channels[secret];
  const azure = linkTo('key-vaults', {});
  return {
    kind: 'channel-unusable',
    subject: { kind: 'channel', id: secret, name },
    severity: 'warning',
    headline: `${headline}: the secret ${secret} cannot be used.`,
    cause: causeOf(code, said),
    code,
    since: new Date(now).toISOString(),
    affected,
    who: 'you',
    fix: { label: azure.label, href: azure.href },
  };
}

function causeOf(code: string, said: string): string {
  switch (code) {
    case 'channel-malformed':
      return `${said} Write a new version of the secret, or delete it to do without. Postroom reads it again within two minutes.`;
    case 'webhook-unsigned':
      return `${said} Set it to whsec_ and at least 24 random bytes in base64. Postroom reads it again within two minutes.`;
    case 'secret-disabled':
      return 'Somebody switched it off in the key vault. Switch its newest version on, or delete it to do without.';
    default: {
      const explanation = explainText({ text: said });
      const cause = explanation.code.startsWith('key-vault')
        ? explanation.cause
        : 'The key vault does not give it.';
      return `${cause} Postroom asks again each minute.`;
    }
  }
}
