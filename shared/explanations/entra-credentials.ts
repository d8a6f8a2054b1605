import type { EntraEntry } from './explanation.ts';

const compareThumbprint =
  'Open the app registration, “Certificates & secrets”, Certificates, and compare the thumbprint and the dates with those on the provider’s page in Postroom.';
const uploadCertificate =
  'If the certificate is missing or has expired, download the public certificate (.cer) from the provider in Postroom and upload it there.';
const openFederated =
  'Open the app registration, “Certificates & secrets”, “Federated credentials”, and open or add the one for Postroom.';
const federatedValues =
  'Issuer: https://login.microsoftonline.com/{tenant}/v2.0. Subject: the object (principal) ID of the managed identity. Audience: api://AzureADTokenExchange. Each must match exactly.';
const waitTen = 'A new one can take up to ten minutes to work. Then test the provider.';

/** Errors about certificates and federated managed identities. */
export const credentialEntries: readonly EntraEntry[] = [
  {
    numbers: [50012],
    title: 'Microsoft does not recognize the app’s certificate',
    cause: 'The assertion was signed with a key whose certificate is not in the app registration.',
    who: 'you',
    retry: 'after-fix',
    steps: [compareThumbprint, uploadCertificate, 'Test the provider.'],
    links: ['secrets'],
  },
  {
    numbers: [700027],
    title: 'The app’s signature could not be verified',
    cause: 'The certificate has expired, was removed or replaced, or does not match the key.',
    who: 'you',
    retry: 'after-fix',
    steps: [compareThumbprint, uploadCertificate, 'Test the provider.'],
    links: ['secrets'],
  },
  {
    numbers: [700024],
    title: 'The app’s assertion is not valid at this time',
    cause:
      'The machine’s clock is wrong, or the assertion had expired. Postroom creates a new one for the next attempt.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'No action needed at first: the next attempt uses a new assertion.',
      'If it happens again, check the machine’s clock and the certificate’s validity dates.',
    ],
    links: ['secrets'],
  },
  {
    numbers: [70021, 700211, 700213],
    title: 'The federated credential does not match the managed identity',
    cause:
      'The app has no federated credential with the issuer and subject of Postroom’s identity, or it was added only a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [openFederated, federatedValues, waitTen],
    links: ['secrets'],
  },
  {
    numbers: [700212, 7002121],
    title: 'The federated credential has the wrong audience',
    cause:
      'The audience of the federated credential is not the one that the identity’s token was issued for.',
    who: 'you',
    retry: 'after-fix',
    steps: [openFederated, federatedValues, waitTen],
    links: ['secrets'],
  },
  {
    numbers: [700222],
    title: 'This token cannot be used to authenticate the app',
    cause:
      'The assertion is not a managed identity token. This happens with a developer’s own sign-in on their machine.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Use the federated credential only on Azure, with the user-assigned identity.',
      'On your own machine, choose a client secret or a certificate for the provider.',
    ],
    links: ['secrets'],
  },
  {
    numbers: [700226, 700229],
    title: 'Only a managed identity can authenticate the app',
    cause: 'The assertion is a token of another app registration or of a user.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Check that AZURE_CLIENT_ID is the client ID of the user-assigned managed identity.',
      'On your own machine, choose a client secret or a certificate for the provider.',
    ],
    links: ['function-apps', 'secrets'],
  },
  {
    numbers: [700227, 700236],
    title: 'The federated credential has the wrong issuer',
    cause: 'The issuer is in the old form (sts.windows.net), or the identity is in another tenant.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      openFederated,
      federatedValues,
      'The managed identity and the app registration must be in the same tenant.',
      waitTen,
    ],
    links: ['secrets'],
  },
];
