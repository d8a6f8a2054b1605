/** Every secret with its expiry date, the encryption key, and rotation. For admins. */
import { countUnderOlderKeys } from '../../../shared/accounts/reencrypt-tokens.ts';
import { encryptionKeyName } from '../../../shared/accounts/token-encryption.ts';
import { paths } from '../../../shared/paths/paths.ts';
import { PostroomError } from '../../../shared/platform/errors.ts';
import { log } from '../../../shared/platform/log.ts';
import { isVaultCode } from '../../../shared/platform/problem.ts';
import { checkSecrets } from '../../../shared/secrets/review-secrets.ts';
import { canRotate } from '../../../shared/secrets/rotate-secrets.ts';
import { switchRotation } from '../../../shared/secrets/switch-rotation.ts';
import type { Flash } from '../../../shared/ui/page.tsx';
import { flashOf, formData } from '../../http/form-data.ts';
import type { PageContext } from '../../http/web-environment.ts';
import type { Services } from '../../services.ts';
import { replaceEncryptionKey } from '../../use-cases/replace-encryption-key.ts';
import { type SecretsView, secretsPage, vaultAwayPage } from './secret-views.tsx';

const flashes: Readonly<Record<string, Flash>> = {
  'new-key': {
    kind: 'success',
    text: 'New encryption key created. No one needs to sign in again; stored tokens are re-encrypted within days.',
  },
};

export async function showSecrets(c: PageContext): Promise<Response> {
  return withVault(c, async () =>
    c.html(secretsPage(await viewOf(c.get('services')), c.get('principal'), flashOf(c, flashes))),
  );
}

/** Answers with its own page when Key Vault is not available. */
async function withVault(c: PageContext, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof PostroomError) || !isVaultCode(error.code)) throw error;
    log.error('vault unavailable for the page of secrets', error);
    return c.html(vaultAwayPage(c.get('principal'), error.code), 503);
  }
}

async function viewOf(services: Services): Promise<SecretsView> {
  const [secrets, versions, rotations] = await Promise.all([
    checkSecrets(services),
    services.vault.versionsOf(encryptionKeyName),
    services.rotations.list(),
  ]);
  const [newest] = versions;
  return {
    secrets,
    rotating: rotations.filter(({ enabled }) => enabled).map(({ providerId }) => providerId),
    encryptionKey:
      newest === undefined
        ? undefined
        : {
            madeOn: newest.createdOn,
            readable: versions.filter(({ enabled }) => enabled).length,
            underOlder: await countUnderOlderKeys(services, newest.version ?? ''),
          },
  };
}

export async function replaceKey(c: PageContext): Promise<Response> {
  return withVault(c, async () => {
    await replaceEncryptionKey(c.get('services'), c.get('principal'));
    return c.redirect(paths.secrets({ flash: 'new-key' }), 303);
  });
}

export async function turnRotationOnOrOff(c: PageContext): Promise<Response> {
  const services = c.get('services');
  const provider = await services.providers.get(c.req.param('id') ?? '');
  if (provider === undefined || !canRotate(provider)) return c.notFound();
  const enabled = (await formData(c))['rotation'] === 'on';
  await switchRotation(services, provider, enabled, c.get('principal'));
  return c.redirect(paths.provider(provider), 303);
}
