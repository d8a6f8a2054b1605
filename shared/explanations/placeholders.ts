import type { ExplainContext } from './explanation.ts';

// Steps contain shell commands to copy: a value that is not clearly an ID or an address is omitted.
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DOMAIN = /^[a-z0-9][a-z0-9.-]{0,252}$/i;
const ADDRESS = /^[\w.+-]{1,64}@[a-z0-9][a-z0-9.-]{0,252}$/i;
const URI = /^https?:\/\/[\w.:[\]-]{1,255}[\w./~%-]{0,255}$/i;

/** Replaces unknown values in a step. */
const unknown = {
  clientId: 'CLIENT-ID',
  tenant: 'TENANT-ID',
  mailbox: 'MAILBOX-ADDRESS',
  redirectUri: 'the redirect URI shown on the provider’s page in Postroom',
  objectId: 'OBJECT-ID-OF-THE-ENTERPRISE-APPLICATION',
  correlationId: 'the correlation ID',
} as const;

type Placeholder = keyof typeof unknown;

/** Only values that are safe in a command and in a link. Pure. */
export function safeContext(context: ExplainContext): ExplainContext {
  const keep = (value: string | undefined, shape: RegExp): string | undefined =>
    value !== undefined && value.length <= 600 && shape.test(value.trim()) ? value.trim() : undefined;
  return {
    clientId: keep(context.clientId, GUID),
    tenant: keep(context.tenant, GUID) ?? keep(context.tenant, DOMAIN),
    mailbox: keep(context.mailbox, ADDRESS),
    redirectUri: keep(context.redirectUri, URI),
    objectId: keep(context.objectId, GUID),
    userId: keep(context.userId, GUID),
    mailboxId: keep(context.mailboxId, GUID),
    cloud: context.cloud,
    demo: context.demo,
  };
}

/** Fills the placeholders of a step. Pure. */
export function fill(step: string, values: ExplainContext & { correlationId?: string | undefined }): string {
  return step.replaceAll(
    /\{(clientId|tenant|mailbox|redirectUri|objectId|correlationId)\}/g,
    (_, name: Placeholder) => values[name] ?? unknown[name],
  );
}
