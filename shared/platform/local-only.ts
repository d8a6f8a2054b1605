import { isIPv4 } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Variables that the platform sets where it runs the app. Flex Consumption does not set
 * `WEBSITE_INSTANCE_ID`: the Functions host itself detects the plan by its absence and by the names of the
 * pod and of its service.
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
 * Why `POSTROOM_LOCAL` must be off: signs of Azure, and settings that point to another machine. The setting
 * allows http and private addresses, so on Azure a provider or mailbox could reach the metadata service.
 * Messages never repeat a value. Providers and mail servers are not settings: `npm start` can reach those
 * of Microsoft 365. Pure.
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

/** True for a URL whose host is this machine's loopback, and for text that is not a URL. Pure. */
export function isOnThisMachine(address: string): boolean {
  const url = URL.parse(address);
  return url === null || isLoopback(url.hostname);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'));

/**
 * True for a connection string that names a loopback endpoint for each service, or the emulator.
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
  // Without an explicit endpoint, the SDK derives an Azure address from the account name.
  return ['blobendpoint', 'queueendpoint', 'tableendpoint'].every((name) =>
    isLoopback(URL.parse(parts.get(name) ?? '')?.hostname ?? ''),
  );
}
