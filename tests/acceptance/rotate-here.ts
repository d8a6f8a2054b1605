import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { vi } from 'vitest';
import { startGraph } from '../../dev/emulators/graph/graph.ts';
import { buildServices } from '../../functions/services.ts';
import { readConfig } from '../../shared/platform/config.ts';
import { managedIdentityAssertion } from '../../shared/platform/credential.ts';
import { openSeam } from '../../shared/platform/seam.ts';
import { createGraphApplications } from '../../shared/secrets/graph-applications.ts';
import { rotateSecrets } from '../../shared/secrets/rotate-secrets.ts';
import { makeRotationDue } from '../harness/memory/due-rotation.ts';
import type { Postroom } from '../harness/stack/installation.ts';

/** The secrets that a rotation created, and its log. */
export interface Rotated {
  /** Values of the secrets, in the order in which Graph created them. */
  secrets: string[];
  log: string;
}

/**
 * Rotates the secret of a provider twice: the first time the vault refuses to store the new one. In this process, since
 * the built app calls only Microsoft's own Graph; storage, vault and managed identity are those of the installation.
 */
export async function rotateHere({ stack }: Postroom, providerId: string): Promise<Rotated> {
  const before = { ...process.env };
  const trusted = getCACertificates('default');
  const said: string[] = [];
  const spies = (['log', 'info', 'warn', 'error'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation((...words: unknown[]) => {
      said.push(words.map(String).join(' '));
    }),
  );
  const secrets: string[] = [];
  const graph = await startGraph({
    tenantId: 'demo',
    jwks: stack.managedIdentity.jwks,
    appPermissions: { [stack.managedIdentity.principalId]: ['Application.ReadWrite.OwnedBy'] },
    onSecret: ({ secretText }) => {
      if (secretText !== undefined) secrets.push(secretText);
    },
  });
  try {
    setDefaultCACertificates([...trusted, stack.ca]);
    Object.assign(process.env, stack.settings);
    const services = buildServices(readConfig(), openSeam);
    await makeRotationDue({ services, stack, graph }, providerId);
    const applications = createGraphApplications({
      seam: openSeam,
      local: true,
      identityAssertion: managedIdentityAssertion(services.config),
      origin: graph.url,
    });
    const rotate = () => rotateSecrets({ ...services, graph: applications });
    await stack.keyVault.addFault({ match: { method: 'PUT', path: '^/secrets/' }, status: 403 });
    await rotate().catch((error: unknown) => {
      said.push(String(error), String((error as Error).cause));
    });
    await rotate();
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.env = before;
    setDefaultCACertificates([...trusted]);
    await graph.stop();
  }
  return { secrets, log: said.join('\n') };
}
