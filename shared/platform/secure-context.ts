import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

let shared: { certificates: readonly string[]; context: SecureContext } | undefined;

/**
 * One TLS context for all connections to mail servers: TLS 1.2 and later, the default certificates. Node makes one for
 * each connection otherwise, which costs a third of a short connection's processor time, and memory outside of
 * the heap that a hundred connections a minute fill faster than it is collected.
 */
export function mailSecureContext(): SecureContext {
  // Node returns the same array until the default certificates change.
  const certificates = getCACertificates('default');
  if (shared?.certificates !== certificates)
    shared = { certificates, context: createSecureContext({ minVersion: 'TLSv1.2' }) };
  return shared.context;
}
