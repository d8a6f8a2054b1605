import { z } from 'zod';

/** A secret that Key Vault reports as expired or about to expire. */
export interface VaultEvent {
  kind: 'near-expiry' | 'expired';
  /** As the vault writes it: trimmed, with its case. */
  secret: string;
}

const types: Readonly<Record<string, VaultEvent['kind']>> = {
  'microsoft.keyvault.secretnearexpiry': 'near-expiry',
  'microsoft.keyvault.secretexpired': 'expired',
};
const object = z.record(z.string(), z.unknown());

/**
 * Reads a message of the queue `vault-events`. Event Grid sends CloudEvents 1.0 or its own schema, one
 * event or a list, as JSON or as base64 of it; field names vary in case, and one has been seen with a
 * trailing space. Anything else yields no events, because a message that throws would only be redelivered.
 * https://learn.microsoft.com/azure/event-grid/event-schema-key-vault
 */
export function readVaultEvents(message: unknown): VaultEvent[] {
  const read = typeof message === 'string' ? parsed(message) : message;
  return (Array.isArray(read) ? read : [read]).map(readOne).filter((event) => event !== undefined);
}

function parsed(text: string): unknown {
  for (const json of [text, Buffer.from(text, 'base64').toString('utf8')]) {
    try {
      return JSON.parse(json);
    } catch {
      // Try the other encoding.
    }
  }
  return undefined;
}

function readOne(value: unknown): VaultEvent | undefined {
  const event = tidy(value);
  const data = tidy(event['data']);
  const kind = types[trimmedText(event['type'] ?? event['eventtype']).toLowerCase()];
  const secret = trimmedText(data['objectname'] ?? event['subject']);
  const isSecret = ['', 'secret'].includes(trimmedText(data['objecttype']).toLowerCase());
  if (kind === undefined || !isSecret || !/^[0-9a-zA-Z-]{1,127}$/.test(secret)) return undefined;
  return { kind, secret };
}

/** The same fields with trimmed, lower-case names. */
function tidy(value: unknown): Record<string, unknown> {
  const fields = object.safeParse(value);
  if (!fields.success) return {};
  return Object.fromEntries(
    Object.entries(fields.data).map(([name, one]) => [name.trim().toLowerCase(), one]),
  );
}

const trimmedText = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
