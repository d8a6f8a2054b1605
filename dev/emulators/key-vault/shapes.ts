import type { DeletedSecret, SecretVersion } from './secrets.ts';

// Secrets as Key Vault's answers show them (Microsoft: Key Vault REST API, SecretBundle and DeletedSecretBundle).

export function described(
  base: string,
  name: string,
  version: SecretVersion,
  { versioned } = { versioned: true },
): Record<string, unknown> {
  const { exp, nbf, contentType } = version;
  return {
    ...(contentType !== undefined && { contentType }),
    id: `${base}/secrets/${name}${versioned ? `/${version.version}` : ''}`,
    attributes: {
      enabled: version.enabled,
      ...(nbf !== undefined && { nbf }),
      ...(exp !== undefined && { exp }),
      created: version.created,
      updated: version.updated,
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    },
    tags: version.tags,
  };
}

export const withValue = (base: string, name: string, version: SecretVersion): Record<string, unknown> => ({
  value: version.value,
  ...described(base, name, version),
});

export function describedDeleted(
  base: string,
  name: string,
  deleted: DeletedSecret,
  shape = { versioned: true },
): Record<string, unknown> {
  const newest = deleted.versions.at(-1);
  return {
    recoveryId: `${base}/deletedsecrets/${name}`,
    deletedDate: deleted.deletedDate,
    scheduledPurgeDate: deleted.scheduledPurgeDate,
    ...(newest !== undefined && described(base, name, newest, shape)),
  };
}
