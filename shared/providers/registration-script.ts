import type { CloudName } from './clouds.ts';
import { certificatePem } from './credential.ts';
import { GRAPH_APP_ID, permissionsFor } from './permissions.ts';
import { exchangeAudienceOf, type Provider, waysOf } from './provider.ts';

export interface ScriptValues {
  provider: Pick<
    Provider,
    'name' | 'cloud' | 'tenant' | 'clientId' | 'credential' | 'nextCredential' | 'ways'
  >;
  redirectUri: string;
  /** Known when the app runs with a managed identity. */
  identity: { issuer: string; subject: string } | undefined;
}

// https://learn.microsoft.com/cli/azure/manage-clouds-azure-cli
const cliClouds: Readonly<Record<CloudName, string>> = {
  worldwide: 'AzureCloud',
  'gcc-high': 'AzureUSGovernment',
  dod: 'AzureUSGovernment',
  china: 'AzureChinaCloud',
};

/**
 * All steps at Microsoft as one script for the Azure CLI (`az`, version 2.37 or newer) and bash. It creates
 * the app registration, or updates the one whose client ID is known, and is safe to repeat. It prints the
 * values to enter in Postroom; a new client secret is printed once and stored nowhere. Pure.
 */
export function registrationScript(values: ScriptValues): string {
  const { provider, redirectUri } = values;
  const wanted = permissionsFor(waysOf(provider));
  const access = wanted.map(({ id }) => ({ id, type: 'Scope' }));
  const permissions = JSON.stringify([{ resourceAppId: GRAPH_APP_ID, resourceAccess: access }]);
  // A multi-tenant app is registered in the tenant of the Azure CLI's user.
  const isForMany = provider.tenant === 'organizations';
  const tenant = isForMany ? '' : (provider.tenant ?? '');
  return `#!/usr/bin/env bash
# Registers Postroom's app for mail at Microsoft Entra, or corrects the existing registration.
# Needs the Azure CLI (https://aka.ms/azure-cli) and somebody who may register apps. Run it again at any time.
# Words are split on purpose below, and never read as names of files.
set -euf -o pipefail

NAME=${quoted(provider.name)}
TENANT=${quoted(tenant)}
CLIENT_ID=${quoted(provider.clientId)}
REDIRECT_URI=${quoted(redirectUri)}
PERMISSIONS=${quoted(permissions)}
# Who may sign in: AzureADMyOrg is this organization alone, AzureADMultipleOrgs any organization.
AUDIENCE=${isForMany ? 'AzureADMultipleOrgs' : 'AzureADMyOrg'}

az cloud set --name ${cliClouds[provider.cloud]}
if [ -n "$TENANT" ]; then
  az login --tenant "$TENANT" --allow-no-subscriptions --output none
else
  az login --allow-no-subscriptions --output none
fi

# 1. The app registration, as a web application with Postroom's redirect URI.
if [ -z "$CLIENT_ID" ]; then
  CLIENT_ID=$(az ad app create --display-name "$NAME" --sign-in-audience "$AUDIENCE" \\
    --web-redirect-uris "$REDIRECT_URI" --query appId --output tsv)
else
  URIS=$(az ad app show --id "$CLIENT_ID" --query 'web.redirectUris' --output tsv)
  case " $(echo $URIS) " in
    *" $REDIRECT_URI "*) ;;
    *) az ad app update --id "$CLIENT_ID" --web-redirect-uris $URIS "$REDIRECT_URI" ;;
  esac
${isForMany ? '  az ad app update --id "$CLIENT_ID" --sign-in-audience "$AUDIENCE"\n' : ''}fi

# 2. The permissions: ${wanted.map(({ name }) => name).join(', ')}.
az ad app update --id "$CLIENT_ID" --required-resource-accesses "$PERMISSIONS"
az ad sp show --id "$CLIENT_ID" --output none 2>/dev/null || az ad sp create --id "$CLIENT_ID" --output none

# 3. Consent for everybody. Only an admin of the tenant can; a new registration takes up to a minute to be known.
for attempt in 1 2 3 4 5 6; do
  if az ad app permission admin-consent --id "$CLIENT_ID" 2>/dev/null; then CONSENT=granted; break; fi
  sleep 10
done
[ "\${CONSENT-}" = granted ] || echo 'Not granted: ask an admin of the tenant to open the link on the page of the provider.'

${credentialStep(values)}
echo
echo "Enter in Postroom:"
echo "  Directory (tenant) ID:   ${isForMany ? 'organizations' : '$(az account show --query tenantId --output tsv)'}"
echo "  Application (client) ID: $CLIENT_ID"
[ -z "\${SECRET-}" ] || echo "  Client secret (value):   $SECRET"
`;
}

function credentialStep({ provider, identity }: ScriptValues): string {
  const credential = provider.nextCredential ?? provider.credential;
  if (credential?.kind === 'certificate')
    return `# 4. The certificate, as Postroom made it. \`--append\` leaves the credentials there are.
az ad app credential reset --id "$CLIENT_ID" --append --cert ${quoted(certificatePem(credential.certificate))} --output none
`;
  if (credential?.kind === 'federated' && identity === undefined)
    return `# 4. Trust in Postroom's managed identity: it could not say who it is when this script was made. A secret is not what
# was chosen, so none is made.
echo 'Step 4 is left out: the managed identity was not known. On Azure, open the page of the provider and take this script from there.'
`;
  if (credential?.kind === 'federated' && identity !== undefined) {
    const trust = JSON.stringify({
      name: 'postroom',
      issuer: identity.issuer,
      subject: identity.subject,
      audiences: [exchangeAudienceOf(provider)],
    });
    return `# 4. Trust in Postroom's managed identity: no secret at all.
az ad app federated-credential show --id "$CLIENT_ID" --federated-credential-id postroom --output none 2>/dev/null || \\
  az ad app federated-credential create --id "$CLIENT_ID" --parameters ${quoted(trust)} --output none
`;
  }
  return `# 4. A client secret for 24 months, a new one at each run. It is shown this once. \`--append\` leaves the credentials there are.
SECRET=$(az ad app credential reset --id "$CLIENT_ID" --append --display-name Postroom --years 2 --query password --output tsv)
`;
}

/** Quotes text as one word for a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
