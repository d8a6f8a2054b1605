/**
 * Microsoft's separate clouds. A registration, its credentials and its mailboxes are all in one of them.
 */
export type CloudName = 'worldwide' | 'gcc-high' | 'dod' | 'china';

export interface Cloud {
  label: string;
  /** Host of the authorization, token and key endpoints. */
  loginHost: string;
  /** Origin of the portal with the app registrations. */
  portal: string;
  /** URL prefixes of the Microsoft 365, Exchange and Defender admin centers, up to their `/` or `#`. */
  adminCenter: string;
  exchangeCenter: string;
  defender: string;
  /** Origin of Microsoft Graph: the resource that a preflight requests. */
  graph: string;
  /** Prefix of the scopes of IMAP, POP and SMTP. */
  outlookScope: string;
  /** Resource of an app-only token. */
  outlookApp: string;
  imapHost: string;
  smtpHost: string;
  /** Audience of a managed identity's token for federation. */
  exchangeAudience: string;
}

/**
 * Sign-in, Graph and portal hosts:
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 * Admin centers: https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges, whose pages for GCC High,
 * DoD and 21Vianet list them; China has no Defender portal, so its admin center stands there.
 * Mail hosts of the government and China: https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges
 */
export const clouds: Readonly<Record<CloudName, Cloud>> = {
  worldwide: {
    label: 'Worldwide (also GCC)',
    loginHost: 'login.microsoftonline.com',
    portal: 'https://entra.microsoft.com',
    adminCenter: 'https://admin.microsoft.com/',
    exchangeCenter: 'https://admin.exchange.microsoft.com/',
    defender: 'https://security.microsoft.com/',
    graph: 'https://graph.microsoft.com',
    outlookScope: 'https://outlook.office.com',
    outlookApp: 'https://outlook.office365.com',
    imapHost: 'outlook.office365.com',
    smtpHost: 'smtp.office365.com',
    exchangeAudience: 'api://AzureADTokenExchange',
  },
  'gcc-high': {
    label: 'US Government, GCC High',
    loginHost: 'login.microsoftonline.us',
    portal: 'https://portal.azure.us',
    adminCenter: 'https://portal.office365.us/adminportal/home',
    exchangeCenter: 'https://admin.exchange.office365.us/',
    defender: 'https://security.microsoft.us/',
    graph: 'https://graph.microsoft.us',
    outlookScope: 'https://outlook.office365.us',
    outlookApp: 'https://outlook.office365.us',
    imapHost: 'outlook.office365.us',
    smtpHost: 'smtp.office365.us',
    exchangeAudience: 'api://AzureADTokenExchangeUSGov',
  },
  dod: {
    label: 'US Government, DoD',
    loginHost: 'login.microsoftonline.us',
    portal: 'https://portal.azure.us',
    adminCenter: 'https://portal.apps.mil/adminportal/home',
    exchangeCenter: 'https://admin.exchange.apps.mil/',
    defender: 'https://security.apps.mil/',
    graph: 'https://dod-graph.microsoft.us',
    outlookScope: 'https://outlook.office365.us',
    outlookApp: 'https://outlook.office365.us',
    imapHost: 'outlook-dod.office365.us',
    smtpHost: 'outlook-dod.office365.us',
    exchangeAudience: 'api://AzureADTokenExchangeUSGov',
  },
  china: {
    label: 'China (21Vianet)',
    loginHost: 'login.partner.microsoftonline.cn',
    portal: 'https://portal.azure.cn',
    adminCenter: 'https://portal.partner.microsoftonline.cn/AdminPortal/Home',
    exchangeCenter: 'https://partner.outlook.cn/ecp/',
    defender: 'https://portal.partner.microsoftonline.cn/AdminPortal/Home#/',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    outlookScope: 'https://partner.outlook.cn',
    outlookApp: 'https://partner.outlook.cn',
    imapHost: 'partner.outlook.cn',
    smtpHost: 'smtp.partner.outlook.cn',
    exchangeAudience: 'api://AzureADTokenExchangeChina',
  },
};

export const cloudNames = Object.keys(clouds) as CloudName[];

export const isCloudName = (value: unknown): value is CloudName =>
  typeof value === 'string' && Object.hasOwn(clouds, value);

/** The same page of Microsoft's worldwide portals, admin centers or sign-in in another cloud. Pure. */
export function inCloud(href: string, cloud: CloudName): string {
  const { portal, loginHost, adminCenter, exchangeCenter, defender } = clouds[cloud];
  return href
    .replace(/^https:\/\/entra\.microsoft\.com(?=[/#])/, portal)
    .replace(/^https:\/\/login\.microsoftonline\.com(?=\/)/, `https://${loginHost}`)
    .replace(/^https:\/\/admin\.microsoft\.com\//, adminCenter)
    .replace(/^https:\/\/admin\.exchange\.microsoft\.com\//, exchangeCenter)
    .replace(/^https:\/\/security\.microsoft\.com\//, defender);
}
