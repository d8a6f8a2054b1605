import { isIPv4 } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the platform sets where it runs the app. Flex Consumption does not set `WEBSITE_INSTANCE_ID`: the Functions host
 * itself tells the plan by its absence, and by the names of the pod and of its service.
 * https://github.com/Azure/azure-functions-host/blob/dev/src/WebJobs.Script/Environment/EnvironmentExtensions.cs
 */
const SET_BY_AZURE = [
  'WEBSITE_INSTANCE_ID',
  'WEBSITE_SITE_NAME',
  'WEBSITE_SKU',
  'WEBSITE_POD_NAME',
  'LEGION_SERVICE_HOST',
] as const;

const ADDRESSES = [
  'KEY_VAULT_URI',
  'PUBLIC_URL',
  'IDENTITY_ENDPOINT',
  'MSI_ENDPOINT',
  ...['DataStorage', 'AzureWebJobsStorage'].flatMap((connection) => [
    `${connection}__tableServiceUri`,
    `${connection}__blobServiceUri`,
    `${connection}__queueServiceUri`,
  ]),
];
const CONNECTION_STRINGS = ['DataStorage', 'AzureWebJobsStorage'];

/**
 * Why `POSTROOM_LOCAL` may not be on: signs of Azure, and settings whose address is on another machine. It allows http
 * and private addresses, so that on Azure a provider or a mailbox could lead to the metadata service. No value is
 * repeated. Providers and mail servers are no settings: `npm start` reaches those of Microsoft 365. Pure.
 */
export function localOnlyProblems(environment: Environment): [name: string, problem: string][] {
  const value = (name: string): string => environment[name] ?? '';
  const sign = SET_BY_AZURE.find((name) => value(name) !== '');
  const ofAzure: [string, string][] =
    sign === undefined
      ? []
      : [
          [
            'POSTROOM_LOCAL',
            `must not be set where Azure runs the app (${sign} is there): it allows http and private addresses`,
          ],
        ];
  const elsewhere = [
    ...ADDRESSES.filter((name) => value(name) !== '' && !isOnThisMachine(value(name))),
    ...CONNECTION_STRINGS.filter((name) => value(name) !== '' && !isStorageOnThisMachine(value(name))),
  ];
  return [
    ...ofAzure,
    ...elsewhere.map((name): [string, string] => [
      name,
      'must be an address of this machine while POSTROOM_LOCAL is on (or switch that off)',
    ]),
  ];
}

/** True for an address whose host is the loopback of this machine; what is no address is not judged here. Pure. */
export function isOnThisMachine(address: string): boolean {
  const url = URL.parse(address);
  return url === null || isLoopback(url.hostname);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

/**
 * A connection string that names an endpoint for each service, all on this machine, or the emulator.
 * https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string
 */
function isStorageOnThisMachine(connectionString: string): boolean {
  const parts = new Map(
    connectionString.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim()];
    }),
  );
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') {
    const proxy = parts.get('developmentstorageproxyuri');
    return proxy === undefined || isLoopback(URL.parse(proxy)?.hostname ?? '');
  }
  // A service without an endpoint is looked for at Azure, under the name of the account.
  return ['blobendpoint', 'queueendpoint', 'tableendpoint'].every((name) =>
    isLoopback(URL.parse(parts.get(name) ?? '')?.hostname ?? ''),
  );
}
