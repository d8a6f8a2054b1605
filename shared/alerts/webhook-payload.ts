import { createHmac } from 'node:crypto';
import { fixerInWords } from '../explanations/fixer-text.ts';
import { paths } from '../paths/paths.ts';
import type { Secret } from '../platform/secret.ts';
import type { Notification } from './notification.ts';
import { factsOf, linkOf, notificationText, titleOf } from './notification-text.ts';

export type WebhookShape = 'teams' | 'slack' | 'json';

// Hosts of Teams: the Workflows app with its old and new URLs, and the older connectors.
// https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
const TEAMS =
  /(?:^|\.)(?:logic\.azure\.com|api\.powerplatform\.com|powerautomate\.com|flow\.microsoft\.com|webhook\.office\.com)$/;
const SLACK = /(?:^|\.)slack\.com$/;

/** The payload format for this host. */
export function shapeFor(host: string): WebhookShape {
  const name = host.toLowerCase();
  if (TEAMS.test(name)) return 'teams';
  return SLACK.test(name) ? 'slack' : 'json';
}

/** The body to post. Pure: a retry sends the same bytes. */
export function payloadOf(notification: Notification, shape: WebhookShape, publicUrl: string): string {
  switch (shape) {
    case 'teams':
      return JSON.stringify(teamsCard(notification, publicUrl));
    case 'slack':
      return JSON.stringify(slackMessage(notification, publicUrl));
    case 'json':
      return JSON.stringify(plain(notification, publicUrl));
  }
}

function plain(notification: Notification, publicUrl: string) {
  const { finding, what, key, at, openedAt } = notification;
  const { kind, severity, headline, cause, code, since, affected, subject, fix } = finding;
  return {
    type: `alert.${what}`,
    timestamp: at,
    data: {
      key,
      kind,
      severity,
      subject,
      headline,
      cause,
      code: code ?? null,
      since,
      openedAt,
      affected,
      who: fixerInWords(finding.who),
      fix: { label: fix.label, url: linkOf(notification, publicUrl) },
      text: notificationText(notification, publicUrl),
    },
  };
}

function teamsCard(notification: Notification, publicUrl: string) {
  const colour =
    notification.what === 'closed'
      ? 'Good'
      : notification.finding.severity === 'warning'
        ? 'Warning'
        : 'Attention';
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [
      {
        type: 'TextBlock',
        text: titleOf(notification),
        weight: 'Bolder',
        size: 'Medium',
        color: colour,
        wrap: true,
      },
      {
        type: 'FactSet',
        facts: factsOf(notification).map(({ term, detail }) => ({ title: term, value: detail })),
      },
    ],
    actions: [{ type: 'Action.OpenUrl', ...button(notification, publicUrl) }],
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}

/** `text` is what a notification on a phone shows. https://docs.slack.dev/reference/block-kit/blocks */
function slackMessage(notification: Notification, publicUrl: string) {
  const { title, url } = button(notification, publicUrl);
  const lines = factsOf(notification).map(({ term, detail }) => `*${term}:* ${slackText(detail)}`);
  return {
    text: slackText(titleOf(notification)),
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `*${slackText(titleOf(notification))}*` } },
      { type: 'section', text: { type: 'mrkdwn', text: lines.join('\n').slice(0, 2900) } },
      {
        type: 'actions',
        elements: [{ type: 'button', text: { type: 'plain_text', text: title.slice(0, 75) }, url }],
      },
    ],
  };
}

const button = (notification: Notification, publicUrl: string): { title: string; url: string } =>
  notification.what === 'closed'
    ? { title: 'All alerts', url: `${publicUrl}${paths.alerts()}` }
    : { title: notification.finding.fix.label, url: linkOf(notification, publicUrl) };

/** Slack only interprets these three characters; a URL in a name must not become a link or a mention. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Headers that prove that a body is ours, recent and not replayed: an HMAC-SHA256 over ID, time and body,
 * as the Standard Webhooks specification defines it
 * (https://github.com/standard-webhooks/standard-webhooks).
 * @param now milliseconds since the epoch; the time of this attempt
 */
export function signatureOf(
  id: string,
  body: string,
  key: Secret,
  now: number,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', keyBytes(key)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

const KEY_PREFIX = 'whsec_';
/** The specification requires 24 to 64 bytes; anyone could sign with a key that can be guessed. */
const FEWEST_KEY_BYTES = 24;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** A sentence when a key can't be used to sign, without showing the key; otherwise undefined. Pure. */
export function signingKeyProblem(key: Secret): string | undefined {
  const text = key.expose();
  if (text.startsWith(KEY_PREFIX) && !BASE64.test(text.slice(KEY_PREFIX.length)))
    return `What follows ${KEY_PREFIX} is not base64.`;
  const { byteLength } = keyBytes(key);
  return byteLength < FEWEST_KEY_BYTES
    ? `The key has ${byteLength === 1 ? '1 byte' : `${byteLength} bytes`}, and at least ${FEWEST_KEY_BYTES} are needed.`
    : undefined;
}

/** A key with the specification's prefix is base64; any other text is used as is. */
function keyBytes(key: Secret): Buffer {
  const text = key.expose();
  return text.startsWith(KEY_PREFIX)
    ? Buffer.from(text.slice(KEY_PREFIX.length), 'base64')
    : Buffer.from(text);
}
