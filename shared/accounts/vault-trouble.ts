import { PostroomError } from '../platform/errors.ts';
import { isVaultCode, type VaultCode } from '../platform/problem.ts';

/** Key Vault or the managed identity did not give what a sign-in takes. */
export interface VaultTrouble {
  kind: 'vault-away';
  /** As it was thrown. */
  code: VaultCode;
  /** Our own sentence for it; names no secret. */
  said: string;
}

/**
 * Does something that needs the vault, for a person who waits for a page: what is wrong there comes back as a value.
 * @throws whatever else breaks
 */
export async function withVault<T>(work: () => Promise<T>): Promise<T | VaultTrouble> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostroomError) || !isVaultCode(error.code)) throw error;
    return { kind: 'vault-away', code: error.code, said: error.message };
  }
}

const words: Readonly<Record<string, readonly [happened: string, next: string]>> = {
  'key-vault-denied': [
    'Key Vault refuses this installation',
    'Give the managed identity of Postroom its role at the vault again, and see whether the firewall of the vault lets the installation in.',
  ],
  'key-vault-throttled': ['Key Vault takes no more requests for now', 'Wait a minute.'],
  'no-identity': [
    'The managed identity gives no token',
    'Look at the function app under Identity, “User assigned”: the identity of the installation must stand there.',
  ],
  'secret-disabled': [
    'The data key is switched off in Key Vault',
    'Open the key vault, Secrets, postroom-data-key, and set its newest version to “Enabled”.',
  ],
  'bad-data-key': [
    'The data key in Key Vault is not one that Postroom made',
    'Open the key vault, Secrets, postroom-data-key, and disable the version that somebody added there.',
  ],
  'sealed-unreadable': [
    'What Postroom kept for this sign-in cannot be read: the data key in Key Vault was replaced or removed meanwhile',
    'If the data key was deleted, recover it: open the key vault, Secrets, “Manage deleted secrets”.',
  ],
};

/** What is wrong, as a part of a sentence, and what a person who looks after Postroom does about it. Pure. */
export function vaultInWords({ code }: Pick<VaultTrouble, 'code'>): { happened: string; next: string } {
  const [happened, next] = words[code] ?? [
    'Key Vault does not answer',
    'Wait a minute. If it lasts, see under Health what Postroom finds there.',
  ];
  return { happened, next };
}
