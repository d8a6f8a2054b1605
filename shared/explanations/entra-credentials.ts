import type { EntraEntry } from './explanation.ts';

const compareThumbprint =
  'Open the app registration, “Certificates & secrets”, Certificates, and compare the thumbprint and the dates with those on the page of the provider in Postroom.';
const uploadCertificate =
  'If it is missing or has expired: download the public certificate (.cer) from the provider in Postroom and upload it there.';
const openFederated =
  'Open the app registration, “Certificates & secrets”, “Federated credentials”, and open or add the one for Postroom.';
const federatedValues =
  'Issuer https://login.microsoftonline.com/{tenant}/v2.0, subject the object (principal) ID of the managed identity, audience api://AzureADTokenExchange. Each must be the same to the letter.';
const waitTen = 'A new one works after up to ten minutes. Then test the provider.';

/** Errors about certificates and federated managed identities. */
export const credentialEntries: readonly EntraEntry[] = [
  {
    numbers: [50012],
    title: 'Microsoft does not know the app’s certificate',
    cause: 'The assertion was signed with a key whose certificate the app registration does not have.',
    who: 'you',
    retry: 'after-fix',
    steps: [compareThumbprint, uploadCertificate, 'Test the provider.'],
    links: ['secrets'],
  },
  {
    numbers: [700027],
    title: 'The signature of the app could not be verified',
    cause: 'The certificate has expired, was removed or replaced, or its key is another one.',
    who: 'you',
    retry: 'after-fix',
    steps: [compareThumbprint, uploadCertificate, 'Test the provider.'],
    links: ['secrets'],
  },
  {
    numbers: [700024],
    title: 'The app’s assertion is out of its time',
    cause:
      'The clock of the machine is wrong, or an assertion was used after its end. Postroom makes a new one for the next try.',
    who: 'nobody: wait',
    retry: 'by-itself',
    steps: [
      'Nothing is to be done at first: the next try uses a new assertion.',
      'If it comes back: check the clock of the machine, and that the certificate is within its dates.',
    ],
    links: ['secrets'],
  },
  {
    numbers: [70021, 700211, 700213],
    title: 'The federated credential does not fit the managed identity',
    cause:
      'No federated credential of the app has the issuer and subject of Postroom’s identity, or it was added a moment ago.',
    who: 'you',
    retry: 'after-fix',
    steps: [openFederated, federatedValues, waitTen],
    links: ['secrets'],
  },
  {
    numbers: [700212, 7002121],
    title: 'The federated credential has another audience',
    cause: 'The audience of the federated credential is not the one for which the identity’s token was made.',
    who: 'you',
    retry: 'after-fix',
    steps: [openFederated, federatedValues, waitTen],
    links: ['secrets'],
  },
  {
    numbers: [700222],
    title: 'This token cannot stand for the app',
    cause:
      'The assertion is not a token of a managed identity; the sign-in of a developer on their own machine does this.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Use the federated credential on Azure only, with the user-assigned identity.',
      'On your own machine choose a client secret or a certificate for the provider.',
    ],
    links: ['secrets'],
  },
  {
    numbers: [700226, 700229],
    title: 'Only a managed identity may stand for the app',
    cause: 'The assertion is the token of another app registration or of a user.',
    who: 'you',
    retry: 'after-fix',
    steps: [
      'Check that AZURE_CLIENT_ID is the client ID of the user-assigned managed identity.',
      'On your own machine choose a client secret or a certificate for the provider.',
    ],
    links: ['function-apps', 'secrets'],
  },
  {
    numbers: [700227, 700236],
    title: 'The issuer of the federated credential does not fit',
    cause: 'The issuer is written in the old form (sts.windows.net), or the identity is of another tenant.',
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
