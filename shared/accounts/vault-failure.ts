import { vaultMeaning } from '../explanations/vault-problems.ts';
import { PostroomError } from '../platform/errors.ts';
import { isVaultCode, type VaultCode } from '../platform/problem.ts';

/** Key Vault or the managed identity failed during a sign-in. */
export interface VaultFailure {
  kind: 'vault-away';
  /** The code of the error thrown. */
  code: VaultCode;
  /** Our own message; contains no secret. */
  message: string;
}

const WAIT = 'Wait a minute. If the problem persists, check the Health page.';

/**
 * Runs work that needs the vault while a person waits for a page: a vault failure is returned as a value.
 * @throws all other errors
 */
export async function withVault<T>(work: () => Promise<T>): Promise<T | VaultFailure> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PostroomError) || !isVaultCode(error.code)) throw error;
    return { kind: 'vault-away', code: error.code, message: error.message };
  }
}

/** The failure as part of a sentence, and what an admin should do. Pure. */
export function vaultInWords({ code }: Pick<VaultFailure, 'code'>): { happened: string; next: string } {
  const { title, steps, retry } = vaultMeaning(code);
  // A person waits for the page: they have to retry what is temporary.
  const next = retry === 'by-itself' ? WAIT : steps.join(' ');
  return { happened: title, next };
}
